//! What the columns of a file hold: `form,xpos,_,ner`, and the labels to rename: `OTH=MISC`.

use std::str::FromStr;

/// What the columns of a file hold, and how its labels are renamed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnSpec {
    pub(super) columns: Vec<Column>,
    /// Old label, new label; an empty new one drops the entity.
    labels: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Form,
    Lemma,
    Upos,
    Xpos,
    Feats,
    Stem,
    Ner,
    Ignored,
}

impl FromStr for ColumnSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<ColumnSpec, String> {
        let mut columns = Vec::new();
        for name in text.split(',') {
            let column = match name.trim() {
                "form" => Column::Form,
                "lemma" => Column::Lemma,
                "upos" => Column::Upos,
                "xpos" => Column::Xpos,
                "feats" => Column::Feats,
                "stem" => Column::Stem,
                "ner" => Column::Ner,
                "_" => Column::Ignored,
                name => {
                    return Err(format!(
                        "unknown column `{name}`: expected form, lemma, upos, xpos, feats, stem, ner or _"
                    ));
                }
            };
            if column != Column::Ignored && columns.contains(&column) {
                return Err(format!("the column `{name}` is named twice"));
            }
            columns.push(column);
        }
        if !columns.contains(&Column::Form) {
            return Err("no column is named `form`".to_string());
        }
        Ok(ColumnSpec {
            columns,
            labels: Vec::new(),
        })
    }
}

impl ColumnSpec {
    /// The same columns, entity labels renamed on reading: `OTH=MISC`; `OTH=O` and `OTH=` drop such entities.
    ///
    /// # Errors
    /// The rule has no `=`, or nothing before it.
    pub fn map(mut self, rule: &str) -> Result<ColumnSpec, String> {
        match rule.split_once('=') {
            Some((old, new)) if !old.is_empty() => {
                let new = if new == "O" { "" } else { new };
                self.labels.push((old.to_string(), new.to_string()));
                Ok(self)
            }
            _ => Err(format!(
                "`{rule}` does not rename a label: expected OLD=NEW"
            )),
        }
    }

    /// Whether a line may have this many columns: all, or all but ignored ones at its end.
    pub fn fits(&self, found: usize) -> bool {
        let missing = self.columns.get(found..);
        found > 0 && missing.is_some_and(|rest| rest.iter().all(|c| *c == Column::Ignored))
    }

    pub(super) fn rename<'a>(&'a self, label: &'a str) -> &'a str {
        let rule = self.labels.iter().find(|(old, _)| old == label);
        rule.map_or(label, |(_, new)| new)
    }
}
