//! The syntax tree of a condition.

use std::ops::Range;

use crate::model::Value;
use crate::rules::condition::Op;

/// An expression and its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expr {
    pub kind: ExprKind,
    /// All its tokens, without the brackets around it.
    pub span: Range<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum ExprKind {
    Literal(Value),
    Name(String),
    /// `location.country`, or a member of a call: `f("x").member`.
    Member(Box<Expr>, String),
    Call {
        /// The value before the dot of `value.function(…)`.
        target: Option<Box<Expr>>,
        function: String,
        arguments: Vec<Expr>,
    },
    List(Vec<Expr>),
    Not(Box<Expr>),
    Compare(Box<Expr>, Op, Box<Expr>),
    In(Box<Expr>, Box<Expr>),
    /// `a && b && c` as one list, even with brackets around two of them.
    All(Vec<Expr>),
    Any(Vec<Expr>),
}
