//! Evaluates scripts, one a line, in this process.

use crate::answer::{normalise, Answer, Frame, Question, Variable};
use rhai::debugger::DebuggerCommand;
use rhai::{
    Dynamic, Engine, EvalAltResult, Module, ModuleResolver, OptimizationLevel, Position, Scope,
    Shared,
};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::process::exit;
use std::rc::Rc;
use std::thread;

/// Room for the reference's recursion, so that its own limits are what a script meets first.
const STACK_BYTES: usize = 256 << 20;

/// What a script prints beyond this is dropped.
const PRINTED_BYTES: usize = 1 << 20;

/// The exit code that tells the supervisor of a panic.
pub const PANICKED: i32 = 70;

type Printed = Rc<RefCell<String>>;

/// Limits and options by name.
type Settings = (BTreeMap<String, usize>, Vec<String>);

pub fn run() {
    std::panic::set_hook(Box::new(|_| {}));
    thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(answer_all)
        .expect("start a thread")
        .join()
        .expect("panics are caught for each script");
}

fn answer_all() {
    let printed = Printed::default();
    let plain = engine(&printed, &BTreeMap::new());
    // The engine for the last settings, which many questions in a row may have. Those with modules have their own: an
    // engine keeps what it has loaded.
    let mut last: Option<(Settings, Engine)> = None;
    let mut stdout = io::stdout().lock();
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        let question: Question = match serde_json::from_str(&line) {
            Ok(q) => q,
            Err(err) => {
                let answer = Answer::failed(serde_json::Value::Null, "BadLine", &err.to_string());
                let _ = writeln!(stdout, "{}", serde_json::to_string(&answer).unwrap());
                continue;
            }
        };
        printed.borrow_mut().clear();
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            if question.is_plain() {
                return evaluate(&plain, &question.script);
            }
            let settings = (question.limits.clone(), question.options.clone());
            if question.modules.is_empty() {
                match &last {
                    Some((same, special)) if *same == settings => {
                        return evaluate(special, &question.script)
                    }
                    _ => (),
                }
            }
            let mut special = engine(&printed, &question.modules);
            match configure(&mut special, &question) {
                Ok(()) => {
                    let answer = evaluate(&special, &question.script);
                    if question.modules.is_empty() {
                        last = Some((settings, special));
                    }
                    answer
                }
                Err(why) => Answer::failed(serde_json::Value::Null, "BadLine", &why),
            }
        }));
        let Ok(mut answer) = outcome else {
            exit(PANICKED); // the engine may be half changed: the supervisor starts another child
        };
        answer.id = question.id;
        answer.stdout = normalise(printed.take());
        let text = serde_json::to_string(&answer).expect("answers are plain data");
        if writeln!(stdout, "{text}").and_then(|()| stdout.flush()).is_err() {
            return;
        }
    }
}

fn engine(printed: &Printed, modules: &BTreeMap<String, String>) -> Engine {
    let mut engine = Engine::new();
    let buffer = printed.clone();
    engine.on_print(move |text| keep(&buffer, text));
    let buffer = printed.clone();
    engine.on_debug(move |text, _, _| keep(&buffer, text));
    engine.set_module_resolver(Sources { texts: modules.clone(), loaded: RefCell::default() });
    engine
}

fn keep(buffer: &Printed, text: &str) {
    let mut buffer = buffer.borrow_mut();
    if buffer.len() < PRINTED_BYTES {
        buffer.push_str(text);
        buffer.push('\n');
    }
}

#[allow(deprecated)] // register_debugger is marked so because it may change
fn configure(engine: &mut Engine, question: &Question) -> Result<(), String> {
    let (mut global, mut function) = (64, 32);
    for (name, &n) in &question.limits {
        match name.as_str() {
            "operations" => _ = engine.set_max_operations(n as u64),
            "call_levels" => _ = engine.set_max_call_levels(n),
            "expr_depth" => global = n,
            "function_expr_depth" => function = n,
            "variables" => _ = engine.set_max_variables(n),
            "functions" => _ = engine.set_max_functions(n),
            "modules" => _ = engine.set_max_modules(n),
            "string_size" => _ = engine.set_max_string_size(n),
            "array_size" => _ = engine.set_max_array_size(n),
            "map_size" => _ = engine.set_max_map_size(n),
            _ => return Err(format!("unknown limit {name:?}")),
        }
    }
    engine.set_max_expr_depths(global, function);
    for name in &question.options {
        match name.as_str() {
            "strict_variables" => _ = engine.set_strict_variables(true),
            "no_shadowing" => _ = engine.set_allow_shadowing(false),
            "no_looping" => _ = engine.set_allow_looping(false),
            "no_anonymous_fn" => _ = engine.set_allow_anonymous_fn(false),
            "no_if_expression" => _ = engine.set_allow_if_expression(false),
            "no_switch_expression" => _ = engine.set_allow_switch_expression(false),
            "no_loop_expression" => _ = engine.set_allow_loop_expressions(false),
            "no_statement_expression" => _ = engine.set_allow_statement_expression(false),
            "fail_on_invalid_map_property" => _ = engine.set_fail_on_invalid_map_property(true),
            "debugger" => _ = engine.register_debugger(
                |_, debugger| debugger,
                |_, _, _, _, _| Ok(DebuggerCommand::StepInto),
            ),
            "optimize_none" => _ = engine.set_optimization_level(OptimizationLevel::None),
            "optimize_full" => _ = engine.set_optimization_level(OptimizationLevel::Full),
            _ => return Err(format!("unknown option {name:?}")),
        }
    }
    Ok(())
}

fn evaluate(engine: &Engine, script: &str) -> Answer {
    let mut scope = Scope::new();
    let mut answer = match engine.eval_with_scope::<Dynamic>(&mut scope, script) {
        Ok(value) => Answer {
            ok: true,
            type_name: type_of(engine, &value),
            display: shown(engine, "to_string", &value),
            value: shown(engine, "to_debug", &value),
            ..Answer::default()
        },
        Err(err) => failed(*err),
    };
    answer.scope = scope
        .iter()
        .map(|(name, is_const, value)| Variable {
            name: name.into(),
            is_const,
            type_name: type_of(engine, &value),
            value: shown(engine, "to_debug", &value),
        })
        .collect();
    answer
}

fn type_of(engine: &Engine, value: &Dynamic) -> String {
    engine.map_type_name(value.type_name()).into()
}

/// The text that the script itself would get from `to_string` or `to_debug`.
fn shown(engine: &Engine, function: &str, value: &Dynamic) -> String {
    let mut scope = Scope::new();
    scope.push_dynamic("value", value.clone());
    let text = engine
        .eval_with_scope::<String>(&mut scope, &format!("{function}(value)"))
        .unwrap_or_else(|_| format!("{value:?}"));
    normalise(text)
}

/// Unwraps calls and modules around the error, to tell what failed from where it was called.
fn failed(mut err: EvalAltResult) -> Answer {
    let mut trace = Vec::new();
    loop {
        let (kind, name, inner, pos) = match err {
            EvalAltResult::ErrorInFunctionCall(name, _, inner, pos) => {
                ("ErrorInFunctionCall", name, inner, pos)
            }
            EvalAltResult::ErrorInModule(name, inner, pos) => ("ErrorInModule", name, inner, pos),
            other => {
                err = other;
                break;
            }
        };
        let (line, column) = place(pos);
        trace.push(Frame { kind: kind.into(), name: normalise(name), line, column });
        err = *inner;
    }
    trace.reverse();
    let parse_kind = match &err {
        EvalAltResult::ErrorParsing(kind, _) => variant(&format!("{kind:?}")),
        _ => String::new(),
    };
    let error_kind = variant(&format!("{err:?}"));
    let (line, column) = place(err.take_position());
    let error = normalise(err.to_string());
    Answer { error_kind, parse_kind, error, line, column, trace, ..Answer::default() }
}

fn place(pos: Position) -> (usize, usize) {
    (pos.line().unwrap_or(0), pos.position().unwrap_or(0))
}

/// The name of an enum's variant, from its debug form.
fn variant(debug: &str) -> String {
    debug.chars().take_while(|c| c.is_alphanumeric()).collect()
}

/// Finds modules among texts that came with the script.
struct Sources {
    texts: BTreeMap<String, String>,
    loaded: RefCell<BTreeMap<String, Shared<Module>>>,
}

impl ModuleResolver for Sources {
    fn resolve(
        &self,
        engine: &Engine,
        _source: Option<&str>,
        path: &str,
        pos: Position,
    ) -> Result<Shared<Module>, Box<EvalAltResult>> {
        if let Some(module) = self.loaded.borrow().get(path) {
            return Ok(module.clone());
        }
        let Some(text) = self.texts.get(path) else {
            return Err(EvalAltResult::ErrorModuleNotFound(path.into(), pos).into());
        };
        let within = |err| Box::new(EvalAltResult::ErrorInModule(path.into(), err, pos));
        let mut ast = engine.compile(text).map_err(|err| within(err.into()))?;
        ast.set_source(path);
        let module = Module::eval_ast_as_new(Scope::new(), &ast, engine).map_err(within)?;
        let module: Shared<Module> = module.into();
        self.loaded.borrow_mut().insert(path.into(), module.clone());
        Ok(module)
    }
}
