//! Hands each line to a child process and waits for its answer, for a limited time.

use crate::answer::Answer;
use crate::child::PANICKED;
use serde_json::Value;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// The address space that a child may use, in KiB: a script that asks for more kills the child alone.
const CHILD_MEMORY_KIB: u64 = 4 << 20;

struct Evaluator {
    process: Child,
    input: ChildStdin,
    answers: Receiver<String>,
}

impl Evaluator {
    fn start() -> io::Result<Self> {
        let program = std::env::current_exe()?;
        let mut process = Command::new("sh")
            .arg("-c")
            .arg(format!("ulimit -v {CHILD_MEMORY_KIB}; exec \"$0\" evaluate"))
            .arg(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let input = process.stdin.take().expect("stdin is piped");
        let output = process.stdout.take().expect("stdout is piped");
        let (sender, answers) = channel();
        // Ends with the child's output: `stop` kills the child.
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self { process, input, answers })
    }

    fn ask(&mut self, line: &str, limit: Duration) -> Result<String, RecvTimeoutError> {
        let sent = writeln!(self.input, "{line}").and_then(|()| self.input.flush());
        if sent.is_err() {
            return Err(RecvTimeoutError::Disconnected);
        }
        self.answers.recv_timeout(limit)
    }

    /// Ends the child, and returns the exit code of one that ended by itself.
    fn stop(self) -> Option<i32> {
        let Self { mut process, input, answers } = self;
        drop(input);
        if answers.recv_timeout(Duration::ZERO) != Err(RecvTimeoutError::Disconnected) {
            // Fails only when the child is gone already.
            let _ = process.kill();
        }
        process.wait().ok().and_then(|status| status.code())
    }
}

pub fn run(limit: Duration) {
    let stdin = io::stdin();
    let mut stdout = io::stdout().lock();
    let mut evaluator: Option<Evaluator> = None;
    for line in stdin.lock().lines().map_while(Result::ok) {
        if line.trim().is_empty() {
            continue;
        }
        let mut current = match evaluator.take() {
            Some(e) => e,
            None => Evaluator::start().expect("start a copy of this program"),
        };
        let answer = match current.ask(&line, limit) {
            Ok(answer) => {
                evaluator = Some(current);
                answer
            }
            Err(why) => {
                let code = current.stop();
                failure(&line, why, code, limit)
            }
        };
        if writeln!(stdout, "{answer}").and_then(|()| stdout.flush()).is_err() {
            break; // nobody reads any more
        }
    }
    if let Some(e) = evaluator {
        e.stop();
    }
}

fn failure(line: &str, why: RecvTimeoutError, code: Option<i32>, limit: Duration) -> String {
    let id = serde_json::from_str::<Value>(line)
        .ok()
        .and_then(|mut v| v.get_mut("id").map(Value::take))
        .unwrap_or_default();
    let answer = match why {
        RecvTimeoutError::Timeout => {
            Answer::failed(id, "Timeout", &format!("no answer within {limit:?}"))
        }
        RecvTimeoutError::Disconnected if code == Some(PANICKED) => {
            Answer::failed(id, "Panic", "the reference panicked")
        }
        RecvTimeoutError::Disconnected => {
            Answer::failed(id, "Crash", "the reference's process died")
        }
    };
    serde_json::to_string(&answer).expect("answers are plain data")
}
