//! Nothing is answered without asking who sends a request and whether they may.

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, test as in_process, web};
use parterre_server::access::Right;
use parterre_server::router;
use parterre_server::service;
use serde_json::Value;

use super::support::TestApp;

#[actix_web::test]
async fn a_route_that_nobody_is_asked_about_gives_nothing_away() {
    let app = web::block(TestApp::start).await.unwrap();
    let beside = service::build(actix_web::web::Data::clone(&app.app))
        .route("/beside", web::get().to(async || HttpResponse::Ok().body("a secret plan")))
        .route("/beside/created", web::post().to(async || HttpResponse::Created().body("a secret plan")))
        .route("/beside/moved", web::get().to(async || HttpResponse::Found().body("a secret plan")));
    let service = in_process::init_service(beside).await;
    for (method, path) in [("GET", "/beside"), ("POST", "/beside/created"), ("GET", "/beside/moved")] {
        let request = in_process::TestRequest::with_uri(path).method(method.parse().unwrap()).insert_header(("host", "localhost"));
        let answer = in_process::call_service(&service, request.to_request()).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR, "{path}");
        let body = in_process::read_body(answer).await;
        assert!(!String::from_utf8_lossy(&body).contains("secret"), "{path}");
    }
    let known = in_process::TestRequest::with_uri("/api/venues").insert_header(("host", "localhost")).to_request();
    assert_eq!(in_process::call_service(&service, known).await.status(), StatusCode::OK);
    web::block(move || drop(app)).await.unwrap();
}

#[test]
fn every_route_names_a_right_and_every_documented_one_is_a_route() {
    let app = TestApp::start();
    let routes = router::routes();
    for route in &routes {
        for (method, right) in &route.methods {
            // Whatever changes something needs more than seeing.
            let is_reading = method.as_str() == "GET";
            assert!(is_reading || !matches!(right, Right::Open | Right::See), "{method} {}", route.path);
            let is_plain = matches!(right, Right::Open);
            assert!(!is_plain || !route.path.contains("venue") && !route.path.contains("scan"), "{}", route.path);
        }
    }
    // {name:pattern} of the router is {name} in the description.
    let plain = |path: &str| -> String {
        let mut plain = String::new();
        let (mut in_pattern, mut depth) = (false, 0);
        for c in path.chars() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ':' if depth == 1 => in_pattern = true,
                _ => {}
            }
            if depth == 0 {
                in_pattern = false;
            }
            if !in_pattern || c == '}' && depth == 0 {
                plain.push(c);
            }
        }
        plain
    };
    let mut known = BTreeSet::new();
    for route in &routes {
        for (method, _) in &route.methods {
            known.insert(format!("{} {}", method.as_str().to_lowercase(), plain(route.path)));
        }
    }
    let description: Value = app.client.get("/api/openapi.json").expect(200).json();
    let mut documented = BTreeSet::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let path = path.replace("/images/{name}", "/{name}").replace("{image}", "{name}");
            documented.insert(format!("{method} {path}"));
        }
    }
    let missing: Vec<_> = documented.iter().filter(|entry| !known.contains(*entry)).collect();
    assert!(missing.is_empty(), "documented and no route: {missing:?}, known: {known:?}");
    let undocumented: Vec<_> = known.iter().filter(|entry| entry.contains(" /api/") && !documented.contains(*entry)).collect();
    assert!(undocumented.is_empty(), "not documented: {undocumented:?}");
}

#[test]
fn every_route_is_answered_with_something_else_than_a_fault() {
    let app = TestApp::start();
    for route in router::routes() {
        for (method, _) in &route.methods {
            let path = route.path.replace(r"{name:points\.copc\.laz|report\.json|setups\.json}", "report.json");
            let path = path.replace("{name:images/[^/]+}", "images/1.jpg").replace("{path:.*}", "x").replace("{version}", "1");
            let path = path.split('/').map(|part| if part.starts_with('{') { "none" } else { part }).collect::<Vec<_>>().join("/");
            let form = [("content-type", "application/x-www-form-urlencoded")];
            let answer = app.client.send(method.as_str(), &path, &form, "name=x&revision=1");
            assert!(answer.status < 500, "{method} {path}: {} {}", answer.status, answer.text());
        }
    }
    app.client.get("/api/venues/a%00b").expect_error(404, "not_found");
}
