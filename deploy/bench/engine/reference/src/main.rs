//! The reference implementation of Rhai, measured from the inside: a question a line in, an answer a line out, as JSON.
//!
//! Both of its machines are here: the evaluator that walks the tree, and the bytecode machine (its feature `grain`).

use rhai::grain::{Compiler, SharedProgram, Vm};
use rhai::{Dynamic, Engine, Scope};
use serde::{Deserialize, Serialize};
use std::hint::black_box;
use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

#[derive(Deserialize)]
struct Question {
    bytecode: bool,
    task: Task,
    script: String,
    times: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Task {
    /// Run a script that is compiled already.
    Run,
    Compile,
    /// Compile and run.
    Eval,
    /// Make an engine.
    Start,
    /// Keep as many compiled scripts, and say how much the process has grown by them.
    Programs,
    /// Likewise for engines.
    Engines,
}

#[derive(Serialize, Default)]
struct Answer {
    /// What all times took together.
    nanos: u64,
    bytes: u64,
    value_size: usize,
    result: String,
    error: String,
}

type Failure = Box<dyn std::error::Error>;

fn main() {
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { return };
        let answer = match serde_json::from_str(&line) {
            Ok(question) => answer(&question).unwrap_or_else(|err| Answer { error: err.to_string(), ..Answer::default() }),
            Err(err) => Answer { error: err.to_string(), ..Answer::default() },
        };
        let text = serde_json::to_string(&answer).unwrap_or_default();
        if writeln!(std::io::stdout(), "{text}").is_err() {
            return; // nobody reads any more
        }
    }
}

fn answer(q: &Question) -> Result<Answer, Failure> {
    let engine = Engine::new();
    let mut answer = Answer { value_size: std::mem::size_of::<Dynamic>(), ..Answer::default() };
    let mut result = Dynamic::UNIT;
    let before = resident();
    let took = match q.task {
        Task::Run if q.bytecode => {
            let program = Compiler::new().compile(&engine.compile(&q.script)?);
            let mut vm = Vm::new(&engine);
            if program.makes_fn_pointers() {
                // A program that gives closures to native functions has to be run in another way.
                let program = SharedProgram::new(program);
                timed(q.times, || Ok(result = vm.eval_with_callbacks(&mut Scope::new(), &program)?))?
            } else {
                timed(q.times, || Ok(result = vm.eval(&program)?))?
            }
        }
        Task::Run => {
            let ast = engine.compile(&q.script)?;
            timed(q.times, || Ok(result = engine.eval_ast::<Dynamic>(&ast)?))?
        }
        Task::Compile if q.bytecode => timed(q.times, || {
            black_box(Compiler::new().compile(&engine.compile(&q.script)?));
            Ok(())
        })?,
        Task::Compile => timed(q.times, || Ok(drop(black_box(engine.compile(&q.script)?))))?,
        Task::Eval if q.bytecode => timed(q.times, || {
            let program = Compiler::new().compile(&engine.compile(&q.script)?);
            Ok(result = Vm::new(&engine).eval(&program)?)
        })?,
        Task::Eval => timed(q.times, || Ok(result = engine.eval::<Dynamic>(&q.script)?))?,
        Task::Start => timed(q.times, || Ok(drop(black_box(Engine::new()))))?,
        Task::Programs if q.bytecode => {
            let mut kept = Vec::new();
            for _ in 0..q.times {
                kept.push(Compiler::new().compile(&engine.compile(&q.script)?));
            }
            answer.bytes = resident() - before;
            Duration::ZERO
        }
        Task::Programs => {
            let kept = (0..q.times).map(|_| engine.compile(&q.script)).collect::<Result<Vec<_>, _>>()?;
            answer.bytes = resident() - before;
            drop(kept);
            Duration::ZERO
        }
        Task::Engines => {
            let kept: Vec<Engine> = (0..q.times).map(|_| Engine::new()).collect();
            answer.bytes = resident() - before;
            drop(kept);
            Duration::ZERO
        }
    };
    answer.nanos = took.as_nanos() as u64;
    answer.result = result.to_string();
    Ok(answer)
}

fn timed(times: u32, mut task: impl FnMut() -> Result<(), Failure>) -> Result<Duration, Failure> {
    let start = Instant::now();
    for _ in 0..times {
        task()?;
    }
    Ok(start.elapsed())
}

/// How many bytes of memory the process has; zero where the system does not tell.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok().and_then(|s| s.split(' ').nth(1)?.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}
