//! The reference implementation of Rhai, as a program that answers scripts line by line.
//!
//!     oracle [batch] [--timeout-ms N]   JSON lines in, JSON lines out (see ../README.md)
//!     oracle metadata                   the signatures of the standard packages, as JSON
//!
//! `batch` keeps a child process that evaluates, so that a script that hangs, aborts or overflows the
//! stack of the reference costs one answer and nothing else.

mod answer;
mod child;
mod supervisor;

use std::io::Write;
use std::process::exit;
use std::time::Duration;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        [] | ["batch"] => supervisor::run(Duration::from_secs(5)),
        ["batch", "--timeout-ms", n] | ["--timeout-ms", n] => match n.parse() {
            Ok(ms) => supervisor::run(Duration::from_millis(ms)),
            Err(_) => fail(&format!("--timeout-ms {n}: want a number of milliseconds")),
        },
        ["evaluate"] => child::run(),
        ["metadata"] => match rhai::Engine::new().gen_fn_metadata_to_json(true) {
            Ok(json) => {
                // Fails only when nobody reads any more.
                let _ = writeln!(std::io::stdout(), "{json}");
            }
            Err(err) => fail(&err.to_string()),
        },
        _ => fail("usage: oracle [batch] [--timeout-ms N] | oracle metadata"),
    }
}

fn fail(message: &str) {
    eprintln!("oracle: {message}");
    exit(2);
}
