use parterre_scans::read::record::TailFormat;
use parterre_scans::tile::copc::NodeEncoder;
use std::time::Instant;
fn main() {
    let path = std::env::args().nth(1).unwrap();
    let mut r = las::CopcReader::from_path(&path).unwrap();
    let mut entries: Vec<_> = r.hierarchy_entries().filter(|e| e.point_count > 0).collect();
    entries.sort_by_key(|e| e.offset);
    entries.truncate(60);
    let mut nodes = Vec::new();
    for e in &entries {
        let pd = r.read_entry(e).unwrap();
        let mut v = Vec::new();
        for p in pd.points() {
            let p = p.unwrap();
            let raw = p
                .into_raw(&las::Vector {
                    x: las::Transform { scale: 0.001, offset: 652000.0 },
                    y: las::Transform { scale: 0.001, offset: 6862000.0 },
                    z: las::Transform { scale: 0.001, offset: 30.0 },
                })
                .unwrap();
            raw.write_to(&mut v, &las::point::Format::new(7).unwrap()).unwrap();
        }
        nodes.push(v);
    }
    let enc = NodeEncoder::new(&TailFormat { color: true, nir: false, extra: vec![] }).unwrap();
    let n: usize = nodes.iter().map(|v| v.len() / 36).sum();
    for _ in 0..3 {
        let t = Instant::now();
        let mut bytes = 0;
        for v in &nodes {
            bytes += enc.encode(v).unwrap().len();
        }
        let s = t.elapsed().as_secs_f64();
        eprintln!(
            "{} nodes {n} points {:.2} M/s {} bytes ({} orig)",
            nodes.len(),
            n as f64 / s / 1e6,
            bytes,
            entries.iter().map(|e| e.byte_size as i64).sum::<i64>()
        );
    }
}
