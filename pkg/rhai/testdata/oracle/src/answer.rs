//! The lines that come in and go out.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// One script to run. All but `id` and `script` are the host's settings, for the chunks that need them.
#[derive(Deserialize)]
pub struct Question {
    #[serde(default)]
    pub id: Value,
    pub script: String,
    /// Modules that `import` finds, by name.
    #[serde(default)]
    pub modules: BTreeMap<String, String>,
    /// Limits by name: `operations`, `call_levels`, `expr_depth`, `function_expr_depth`, `variables`,
    /// `functions`, `modules`, `string_size`, `array_size`, `map_size`.
    #[serde(default)]
    pub limits: BTreeMap<String, usize>,
    /// Settings by name: `strict_variables`, `no_shadowing`, `no_looping`, `no_anonymous_fn`,
    /// `no_if_expression`, `no_switch_expression`, `no_loop_expression`, `no_statement_expression`,
    /// `fail_on_invalid_map_property`, `optimize_none`, `optimize_full`, and `debugger`, which has a
    /// debugger step through all of the script.
    #[serde(default)]
    pub options: Vec<String>,
}

impl Question {
    /// Whether the engine with default settings can run it.
    pub fn is_plain(&self) -> bool {
        self.modules.is_empty() && self.limits.is_empty() && self.options.is_empty()
    }
}

/// What became of a script. `line` and `column` are 0 where the reference gives no position.
#[derive(Serialize, Default)]
pub struct Answer {
    pub id: Value,
    pub ok: bool,
    #[serde(rename = "type")]
    pub type_name: String,
    pub value: String,
    pub display: String,
    /// The kind of the innermost error: what went wrong, not the calls around it.
    pub error_kind: String,
    pub parse_kind: String,
    pub error: String,
    pub line: usize,
    pub column: usize,
    /// The calls and modules around the innermost error, innermost first.
    pub trace: Vec<Frame>,
    pub stdout: String,
    pub scope: Vec<Variable>,
}

#[derive(Serialize)]
pub struct Frame {
    pub kind: String,
    pub name: String,
    pub line: usize,
    pub column: usize,
}

#[derive(Serialize)]
pub struct Variable {
    pub name: String,
    #[serde(rename = "const")]
    pub is_const: bool,
    #[serde(rename = "type")]
    pub type_name: String,
    pub value: String,
}

impl Answer {
    /// An answer for a script that the reference could not finish.
    pub fn failed(id: Value, kind: &str, message: &str) -> Self {
        Self { id, error_kind: kind.into(), error: message.into(), ..Self::default() }
    }
}

/// Names of anonymous functions are hashes that differ from build to build: all become `anon$`.
pub fn normalise(text: String) -> String {
    const MARK: &str = "anon$";
    if !text.contains(MARK) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find(MARK) {
        let end = at + MARK.len();
        out.push_str(&rest[..end]);
        rest = rest[end..].trim_start_matches(|c: char| c.is_ascii_hexdigit());
    }
    out.push_str(rest);
    out
}
