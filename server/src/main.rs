//! The program `parterre`; see `parterre --help` and `docs/operations.md`.

use std::process::ExitCode;

fn main() -> ExitCode {
    parterre_server::cli::main()
}
