#[test] fn make() {
 use parterre_scans::*;
 let dir = std::path::Path::new("/tmp/vw/demo"); std::fs::create_dir_all(dir).unwrap();
 let made = venue::demo(dir, &venue::Options::default(), &|_| {}).unwrap(); println!("{made:?}");
 for (src, out) in [("/tmp/vw/demo/scan.laz","/tmp/vw/demo"),("/work/shared/data/venue/royal-exhibition-building-1M.laz","/tmp/vw/reb1"),("/work/shared/data/venue/royal-exhibition-building-18M.laz","/tmp/vw/reb18"),("/work/shared/data/venue/royal-exhibition-building-200k-utmlike.laz","/tmp/vw/utm")] {
  std::fs::create_dir_all(out).unwrap();
  let mut s = vec![read::open(std::path::Path::new(src)).unwrap()];
  let r = tiler::tile(&mut s, std::path::Path::new(out), &tiler::Options::default(), &|_| {}).unwrap(); println!("{out} {} tiles {} s", r.tiles, r.seconds);
 }
}
