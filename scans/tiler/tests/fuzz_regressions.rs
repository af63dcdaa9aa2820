//! Inputs that showed a fault once, or that might: `fuzz_regressions/TARGET/NAME`.

use std::path::Path;

#[path = "../../fuzz/src/lib.rs"]
#[allow(unreachable_pub, unused_imports, dead_code, reason = "a library; the fuzzing programs use more of it than this test")]
mod checks;

/// The check that a fuzzing target runs.
fn check(target: &str) -> Option<fn(&[u8])> {
    Some(match target {
        "las" | "laz" | "copc" | "ply" => checks::scan,
        "e57" => checks::e57,
        "archive" => checks::archive,
        "glb" => checks::glb,
        "packed" => checks::packed,
        "tileset" => checks::tileset,
        "crs" => checks::crs,
        "tiler" => checks::tiler,
        _ => return None,
    })
}

#[test]
fn inputs_that_showed_a_fault_do_not_show_it_again() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz_regressions"));
    let mut count = 0;
    for target in std::fs::read_dir(root).expect("the folder of regressions") {
        let target = target.expect("a folder").path();
        if !target.is_dir() {
            continue;
        }
        let name = target.file_name().expect("a name").to_string_lossy().into_owned();
        let check = check(&name).unwrap_or_else(|| panic!("no target is called {name}"));
        for input in std::fs::read_dir(&target).expect("a folder of inputs") {
            let input = input.expect("an input").path();
            eprintln!("{}", input.display());
            check(&std::fs::read(&input).expect("an input"));
            count += 1;
        }
    }
    eprintln!("{count} inputs");
    assert!(count > 0, "there are no inputs in {}", root.display());
}

#[test]
fn every_target_has_a_check_and_a_program() {
    let targets = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/fuzz_targets"));
    let manifest = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/Cargo.toml")).expect("the manifest");
    for entry in std::fs::read_dir(targets).expect("the folder of targets") {
        let name = entry.expect("a target").file_name().to_string_lossy().replace(".rs", "");
        assert!(check(&name).is_some(), "{name}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
}
