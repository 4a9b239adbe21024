// Package syntax turns Rhai source text into a syntax tree and back.
//
// [Parse] runs the scanner and the parser over a source and returns a [Script]: its functions, taken out of the
// statements as the language hoists them, and the statements of its global level. Every [Node] knows where in the
// source it starts. [Print] writes a tree as source that parses to the same tree.
//
// Everything that the source alone decides is decided here: which names a closure captures, which constants a
// switch compares with, which words are reserved. Nothing is evaluated and no name is bound to a slot.
//
// A failed parse returns an [*Error], whose kind and position are those that the reference implementation gives for
// the same source. No input makes the package panic or recurse without bound.
package syntax
