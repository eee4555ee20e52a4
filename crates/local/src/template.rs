//! Configuration files are templates in `deploy/` with `{{names}}` in them.

use crate::error::Error;

/// Fills a template. Both a name without a value and a value without a name are errors: they are mistakes in the
/// template or in the code beside it.
///
/// # Errors
///
/// [`Error::Options`] naming what does not match.
pub fn fill(template: &str, values: &[(&str, &str)]) -> Result<String, Error> {
    let mut text = String::with_capacity(template.len() + 256);
    let mut used = vec![false; values.len()];
    let mut rest = template;
    while let Some(start) = rest.find("{{") {
        text.push_str(&rest[..start]);
        let after = &rest[start + 2..];
        let end =
            after.find("}}").ok_or_else(|| Error::Options("a template has {{ without }}".to_owned()))?;
        let name = &after[..end];
        let index = values
            .iter()
            .position(|(known, _)| *known == name)
            .ok_or_else(|| Error::Options(format!("a template asks for `{name}`, which nobody gives")))?;
        used[index] = true;
        text.push_str(values[index].1);
        rest = &after[end + 2..];
    }
    text.push_str(rest);
    match used.iter().position(|used| !used) {
        Some(unused) => Err(Error::Options(format!("no place for `{}` in a template", values[unused].0))),
        None => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_each_time_they_occur() {
        assert_eq!(fill("a {{x}} b {{y}} {{x}}", &[("x", "1"), ("y", "{}")]).unwrap(), "a 1 b {} 1");
    }

    #[test]
    fn a_name_without_value_and_a_value_without_name_are_errors() {
        assert!(fill("{{x}}", &[]).is_err());
        assert!(fill("x", &[("x", "1")]).is_err());
        assert!(fill("{{x", &[("x", "1")]).is_err());
    }
}
