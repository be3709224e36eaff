//! `[essential]`: names that resolve in every mode, beside the built-in ones.

use crate::config::data::essential::lint;
use crate::config::file::report::Report;
use crate::config::file::shape::EssentialFile;
use crate::config::file::value::each;
use crate::config::file::wire_error::name_error;
use crate::dns::name::Name;
use crate::lang::messages;
use crate::rule::Scope;

/// Reads `[essential]`: `=name` exactly, `name` with all below it.
pub(crate) fn essential(report: &mut Report<'_>, file: &EssentialFile) -> Vec<(Name, Scope)> {
    let mut names = Vec::new();
    for text in each(&file.names) {
        let shown = text.get_ref();
        let (scope, plain) = match shown.strip_prefix('=') {
            Some(rest) => (Scope::Exact, rest),
            None => (Scope::Subtree, shown.as_str()),
        };
        match Name::from_text(plain) {
            Ok(name) => {
                if let Some(mistake) = lint(text.span(), &name, scope) {
                    report.push(mistake);
                }
                names.push((name, scope));
            }
            Err(error) => {
                report
                    .mistake(text.span(), messages::no_name_in(shown, "names", name_error(&error)));
            }
        }
    }
    names
}
