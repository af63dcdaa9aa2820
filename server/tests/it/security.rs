//! Who is answered, and what every answer carries.

use super::support::TestApp;

fn request(method: &str, path: &str, headers: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n")
}

#[test]
fn foreign_names_and_origins_are_refused() {
    let app = TestApp::start();
    let own = app.client.base.trim_start_matches("http://").to_owned();
    let port = own.rsplit(':').next().unwrap();
    for (headers, status) in [
        (format!("Host: {own}\r\n"), 200),
        (format!("Host: localhost:{port}\r\n"), 200),
        (format!("Host: {own}\r\nOrigin: http://{own}\r\n"), 200),
        ("Host: elsewhere.example\r\n".to_owned(), 403),
        (format!("Host: 127.0.0.1.elsewhere.example:{port}\r\n"), 403),
        ("Host: 192.168.1.5:8080\r\n".to_owned(), 403),
        (format!("Host: {own}\r\nOrigin: http://elsewhere.example\r\n"), 403),
        (format!("Host: {own}\r\nOrigin: null\r\n"), 403),
        (format!("Host: {own}\r\nOrigin: https://{own}\r\n"), 403),
        (format!("Host: {own}\r\nOrigin: http://127.0.0.1:1\r\n"), 403),
    ] {
        let answer = app.client.raw(&request("GET", "/api/venues", &headers));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{headers} {answer}");
        assert_eq!(answer.contains("_not_allowed"), status == 403, "{headers} {answer}");
    }
    // No such request reaches what it asks for.
    let body = "{\"name\":\"Theirs\"}";
    let headers =
        format!("Host: {own}\r\nOrigin: http://elsewhere.example\r\nContent-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    let answer = app.client.raw(&(request("POST", "/api/venues", &headers) + body));
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert_eq!(app.client.get("/api/venues").json()["total"], 0);
}

#[test]
fn answers_carry_what_browsers_need_to_know() {
    let app = TestApp::start();
    for path in ["/", "/api/venues", "/nowhere", "/static/style.css"] {
        let answer = app.client.get(path);
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("'wasm-unsafe-eval'"), "{policy}");
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"), "{path}");
    }
}

#[test]
fn a_body_that_never_comes_is_given_up() {
    let app = TestApp::start_with(|config| config.http.answer_time = std::time::Duration::from_millis(300));
    let answer = app
        .client
        .raw("POST /api/venues HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{\"name\"");
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("request_stalled"), "{answer}");
    assert!(answer.contains("content-security-policy: ") && answer.contains("x-content-type-options: nosniff"), "{answer}");
}
