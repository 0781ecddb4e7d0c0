//! Where an expression stands in its condition.

use std::ops::Range;

use cel::common::ast::{Expr, IdedExpr, SourceInfo};

use super::lex::{Kind, Token};

/// A condition's tokens, and what CEL noted of the places of its nodes.
pub(super) struct Places<'a> {
    pub text: &'a str,
    pub tokens: Vec<Token>,
    pub info: SourceInfo,
}

impl Places<'_> {
    /// The place of an expression: all its tokens.
    ///
    /// CEL notes one token of each node: the sign of a comparison, the bracket of a call, the dot of a name. The words
    /// before and after it are found among our own tokens.
    pub fn span(&self, expr: &IdedExpr) -> Range<usize> {
        let own = self.info.offset_for(expr.id).and_then(|(start, end)| {
            let start = usize::try_from(start).ok()?;
            Some(start..usize::try_from(end).ok()?.checked_add(1)?)
        });
        let own = own.unwrap_or(0..self.text.len());
        let at = self.tokens.iter().position(|token| token.span.start == own.start);
        let neighbour = |step: isize| {
            let token = self.tokens.get(at?.checked_add_signed(step)?)?;
            Some(token.span.clone())
        };
        let join = |a: Range<usize>, b: Range<usize>| a.start.min(b.start)..a.end.max(b.end);
        match &expr.expr {
            Expr::Select(select) => join(self.span(&select.operand), neighbour(1).unwrap_or(own)),
            Expr::Call(call) => {
                let bracket = at.and_then(|at| self.closing(at));
                let mut span = match bracket {
                    Some(close) => join(neighbour(-1).unwrap_or(own), close),
                    None => own,
                };
                for part in call.target.iter().map(AsRef::as_ref).chain(&call.args) {
                    span = join(span, self.span(part));
                }
                span
            }
            // CEL leaves the minus out of the place of a negative number.
            Expr::Literal(_) => match neighbour(-1) {
                Some(sign) if self.text.get(sign.clone()) == Some("-") => join(sign, own),
                _ => own,
            },
            Expr::List(_) => at.and_then(|at| self.closing(at)).map_or(own.clone(), |close| join(own, close)),
            _ => own,
        }
    }

    /// The partner of the bracket at a token; None where that is no bracket.
    fn closing(&self, open: usize) -> Option<Range<usize>> {
        let mut depth = 0usize;
        for token in self.tokens.get(open..)? {
            match token.kind {
                Kind::Open => depth += 1,
                Kind::Close => depth = depth.checked_sub(1)?,
                _ => {}
            }
            if depth == 0 {
                return (token.kind == Kind::Close).then(|| token.span.clone());
            }
        }
        None
    }
}
