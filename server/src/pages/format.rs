//! Numbers and times, formatted for people.

/// "3.4 MB", in powers of ten as disks count.
pub fn bytes(bytes: u64) -> String {
    let units = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    if value < 10.0 { format!("{value:.1} {}", units[unit]) } else { format!("{value:.0} {}", units[unit]) }
}

/// "18,013,602".
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// "18.0 million points".
pub fn points(count: u64) -> String {
    match count {
        1 => "1 point".to_owned(),
        2..1_000_000 => format!("{} points", grouped(count)),
        0 => "no points".to_owned(),
        _ => format!("{:.1} million points", count as f64 / 1e6),
    }
}

/// "2026-11-23 21:45 UTC" of an RFC 3339 time.
pub fn time(rfc3339: &str) -> String {
    match (rfc3339.get(..10), rfc3339.get(11..16)) {
        (Some(date), Some(minutes)) => format!("{date} {minutes} UTC"),
        _ => rfc3339.to_owned(),
    }
}

/// "219 × 170 × 33 m" of `[minx, miny, minz, maxx, maxy, maxz]`.
pub fn size(bounds: &[f64; 6]) -> String {
    let [x, y, z] = [bounds[3] - bounds[0], bounds[4] - bounds[1], bounds[5] - bounds[2]];
    let digits = usize::from(x.max(y).max(z) < 10.0);
    format!("{x:.digits$} × {y:.digits$} × {z:.digits$} m")
}

/// "1.3 mm", "8 cm", "1.2 m".
pub fn length(metres: f64) -> String {
    match metres {
        ..0.001 => "less than 1 mm".to_owned(),
        ..0.00995 => format!("{:.1} mm", metres * 1e3),
        ..0.0995 => format!("{:.0} mm", metres * 1e3),
        ..0.995 => format!("{:.0} cm", metres * 1e2),
        _ => format!("{metres:.1} m"),
    }
}

/// "−3.6", with a minus sign; never "−0.0".
pub fn height(metres: f64) -> String {
    let tenths = (metres * 10.0).round();
    let sign = if tenths < 0.0 { "−" } else { "" };
    format!("{sign}{:.1}", tenths.abs() / 10.0)
}

/// "+3.20 m", "−1 %", "no change".
pub fn signed(value: f64, digits: usize, unit: &str) -> String {
    let text = format!("{:.digits$}", value.abs());
    if !text.bytes().any(|digit| (b'1'..=b'9').contains(&digit)) {
        return "no change".to_owned();
    }
    format!("{}{text}{unit}", if value < 0.0 { '−' } else { '+' })
}

/// "+1,200", "−3", "no change".
pub fn signed_count(value: i64) -> String {
    match value {
        0 => "no change".to_owned(),
        _ => format!("{}{}", if value < 0 { '−' } else { '+' }, grouped(value.unsigned_abs())),
    }
}

/// "1,234" of an area in square metres.
pub fn area(square_metres: &f64) -> String {
    grouped(square_metres.round() as u64)
}

/// "1,200 persons".
pub fn persons(count: &u32) -> String {
    if *count == 1 { "1 person".to_owned() } else { format!("{} persons", grouped(u64::from(*count))) }
}

/// Names of fields in a sentence: "local name, accuracy".
pub fn fields(names: &[String]) -> String {
    let plain = |name: &String| field(name).trim_end_matches(", m").to_lowercase();
    names.iter().map(plain).collect::<Vec<_>>().join(", ")
}

/// "−4.00 m".
pub fn metres(value: f64) -> String {
    format!("{}{:.2} m", if value < -0.004_999 { "−" } else { "" }, value.abs())
}

/// "48.85720° N, 2.34750° W".
pub fn position(lon: f64, lat: f64) -> String {
    let (north, east) = (if lat < 0.0 { 'S' } else { 'N' }, if lon < 0.0 { 'W' } else { 'E' });
    format!("{:.5}° {north}, {:.5}° {east}", lat.abs(), lon.abs())
}

/// A field's name as people read it: "Local name" of `local_name`.
pub fn field(name: &str) -> String {
    let known = match name {
        "reverify_on" => "Re-verify date",
        "accuracy_m" => "Accuracy, m",
        "floor_m" => "Height of the floor, m",
        "top_m" => "Reaches up to, m",
        "crs" => "Coordinate system",
        "ordinal" => "Order",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().collect::<String>() + letters.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(3_516_163), "3.5 MB");
        assert_eq!(bytes(50_912_967), "51 MB");
        assert_eq!(bytes(999_999), "1.0 MB");
        assert_eq!(grouped(18_013_602), "18,013,602");
        assert_eq!(grouped(100), "100");
        assert_eq!([0.0004, 0.0013, 0.015, 0.086, 0.31, 2.0].map(length), ["less than 1 mm", "1.3 mm", "15 mm", "86 mm", "31 cm", "2.0 m"]);
        assert_eq!([-3.6, -0.02, 5.398].map(height), ["−3.6", "0.0", "5.4"]);
        assert_eq!([3.204, -0.004, -1.0].map(|value| signed(value, 2, " m")), ["+3.20 m", "no change", "−1.00 m"]);
        assert_eq!([1200, 0, -3].map(signed_count), ["+1,200", "no change", "−3"]);
        assert_eq!(fields(&["accuracy_m".to_owned(), "city".to_owned()]), "accuracy, city");
        assert_eq!([-4.0, -0.001, 13.013].map(metres), ["−4.00 m", "0.00 m", "13.01 m"]);
        assert_eq!(position(-2.5, 48.0), "48.00000° N, 2.50000° W");
        assert_eq!(["local_name", "reverify_on"].map(field), ["Local name", "Re-verify date"]);
        assert_eq!(points(1), "1 point");
        assert_eq!(points(1_000_000), "1.0 million points");
        assert_eq!(time("2026-11-23T21:45:07.123Z"), "2026-11-23 21:45 UTC");
        assert_eq!(size(&[0.0, 0.0, 0.0, 219.2, 170.0, 32.7]), "219 × 170 × 33 m");
    }
}
