//! The report as one page of HTML that needs nothing else: no script, no file, no address.
//!
//! For each run: scores, the comparison with another system, a confusion matrix, the most frequent errors with their
//! context, and the scores tag by tag. Light or dark as the reader's screen is.

use super::confusion::{Confusion, Example};
use super::entities::MatchedBy;
use super::matrix::{MAX_LABELS, Matrix};
use super::report::{ENTITIES, Report, Run};
use super::scores::{Metric, Score};
use crate::text::html::push_char;

const STYLE: &str = include_str!("page.css");

/// The page of a report, with so many confusions for each column.
pub fn page(report: &Report, groups: usize) -> String {
    let task = report.task.name();
    let names = |names: &[String]| {
        let names = names.iter().map(|name| format!("<b>{}</b>", escape(name)));
        names.collect::<Vec<_>>().join(", ")
    };
    let title = escape(&format!("{task} eval: {}", report.gold.join(", ")));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header><h1>{task} eval</h1>\n<p>{} scored against {}</p></header>\n<main>\n",
        names(&report.system),
        names(&report.gold),
    );
    for run in &report.runs {
        push_run(run, groups, &mut out);
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

/// Text as it may stand in an element or between quotes.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        // HTML allows no other controls, escaped or not.
        let is_allowed = !c.is_control() || matches!(c, '\t' | '\n');
        push_char(if is_allowed { c } else { '\u{fffd}' }, &mut out);
    }
    out
}

fn push_run(run: &Run, groups: usize, out: &mut String) {
    line(out, &format!("<section>\n<h2>{}</h2>", escape(&run.name)));
    push_scores(run, out);
    push_comparisons(run, out);
    if let Some(entities) = &run.entities {
        push_matrix(ENTITIES, "entities", &Matrix::of_entities(entities), out);
        push_errors(ENTITIES, &entities.confusions, groups, out);
    }
    for table in &run.tags {
        if table.column == Metric::Upos {
            push_matrix(table.column.name(), "words", &Matrix::of_tags(table), out);
        }
        push_errors(table.column.name(), &table.confusions, groups, out);
    }
    for table in run.tags.iter().filter(|t| !t.tags.is_empty()) {
        let name = table.column.name();
        line(out, &format!("<details><summary>{name} by tag</summary>"));
        let tags = table.tags.iter();
        push_table(
            "%",
            tags.map(|(tag, score)| ((tag.as_str(), false), score)),
            out,
        );
        line(out, "</details>");
    }
    line(out, "</section>");
}

fn push_scores(run: &Run, out: &mut String) {
    let metrics = run.scores.0.iter().map(|(m, s)| ((m.name(), false), s));
    let entities = run.entities.iter().flat_map(|entities| {
        let types = entities.types.iter();
        let types = types.map(|(label, score)| ((label.as_str(), true), score));
        std::iter::once(((ENTITIES, false), &entities.micro)).chain(types)
    });
    line(out, "<h3>Scores</h3>");
    push_table("%", metrics.chain(entities), out);
    if (run.entities.as_ref()).is_some_and(|e| e.matched_by == MatchedBy::Characters) {
        let note = "Entities are matched by their characters: words or sentences differ.";
        line(out, &format!("<p class=\"note\">{note}</p>"));
    }
    if let Some(unseen) = &run.unseen {
        line(out, "<h3>Words unseen in training</h3>");
        let metrics = unseen.0.iter().map(|(m, s)| ((m.name(), false), s));
        push_table("%", metrics, out);
    }
}

/// A row of percentages for each score; accuracy only where one has it.
fn push_table<'a>(
    what: &str,
    scores: impl Iterator<Item = ((&'a str, bool), &'a Score)>,
    out: &mut String,
) {
    let scores: Vec<_> = scores.collect();
    let has_accuracy = scores.iter().any(|(_, score)| score.aligned.is_some());
    let accuracy = has_accuracy.then_some("accuracy");
    let columns = ["precision", "recall", "F1"].into_iter().chain(accuracy);
    let columns: Vec<&str> = columns.chain(["gold", "system"]).collect();
    open_table(what, &columns, out);
    let percent = |share: f64| format!("{:.2}", 100.0 * share);
    for (name, score) in scores {
        let mut cells = [score.precision(), score.recall(), score.f1()]
            .map(percent)
            .to_vec();
        if has_accuracy {
            cells.push(score.aligned_accuracy().map_or(String::new(), percent));
        }
        cells.extend([score.gold, score.system].map(|count| count.to_string()));
        push_row(name, &cells, out);
    }
    line(out, "</tbody></table></div>");
}

fn open_table(what: &str, columns: &[&str], out: &mut String) {
    let columns = columns
        .iter()
        .map(|c| format!("<th scope=\"col\">{c}</th>"));
    let columns: String = columns.collect();
    line(
        out,
        &format!(
            "<div class=\"scroll\"><table><thead><tr><th>{what}</th>{columns}</tr></thead>\
             <tbody>"
        ),
    );
}

/// A row; a part of the row above it is set in.
fn push_row((name, is_part): (&str, bool), cells: &[String], out: &mut String) {
    let cells: String = cells.iter().map(|c| format!("<td>{c}</td>")).collect();
    let (name, class) = (escape(name), if is_part { " class=\"part\"" } else { "" });
    line(
        out,
        &format!("<tr{class}><th scope=\"row\">{name}</th>{cells}</tr>"),
    );
}

fn push_comparisons(run: &Run, out: &mut String) {
    let Some(against) = &run.against else {
        return;
    };
    let name = escape(&against.name);
    line(out, &format!("<h3>Compared with {name}</h3>"));
    open_table("F1, %", &["ours", "other", "difference", "p"], out);
    for found in &run.comparisons {
        let cells = [
            format!("{:.2}", 100.0 * found.f1),
            format!("{:.2}", 100.0 * found.against_f1),
            format!("{:+.2}", 100.0 * found.difference),
            format!("{:.4}", found.p),
        ];
        let name = found.label.as_ref().unwrap_or(&found.metric);
        push_row((name, found.label.is_some()), &cells, out);
    }
    line(out, "</tbody></table></div>");
    let meaning = against.meaning_of_p();
    line(out, &format!("<p class=\"note\">{meaning}</p>"));
}

fn push_matrix(column: &str, unit: &str, matrix: &Matrix, out: &mut String) {
    if matrix.labels.len() > MAX_LABELS {
        return;
    }
    line(
        out,
        &format!(
            "<h3>Confusion matrix: {column}</h3>\n<div class=\"scroll\" tabindex=\"0\">{}</div>\n\
             <p class=\"note\">The deeper the colour, the larger the share of the row: \
             <i class=\"key right\">right</i> on the diagonal, <i class=\"key wrong\">wrong</i> beside it.</p>",
            matrix.to_html(unit)
        ),
    );
}

fn push_errors(column: &str, confusions: &[Confusion], groups: usize, out: &mut String) {
    if confusions.is_empty() || groups == 0 {
        return;
    }
    let all: u64 = confusions.iter().map(|c| c.count).sum();
    line(out, &format!("<h3>Most frequent errors: {column}</h3>"));
    line(out, "<ol class=\"errors\">");
    for confusion in confusions.iter().take(groups) {
        let title = escape(&confusion.title());
        let (count, share) = (confusion.count, 100.0 * confusion.count as f64 / all as f64);
        line(
            out,
            &format!(
                "<li><p><b>{title}</b> <span title=\"{share:.1} % of {all} errors\">{count}</span></p>"
            ),
        );
        confusion.examples.iter().for_each(|e| push_example(e, out));
        line(out, "</li>");
    }
    line(out, "</ol>");
    let rest = confusions.get(groups..).unwrap_or_default();
    if !rest.is_empty() {
        let (pairs, count) = (rest.len(), rest.iter().map(|c| c.count).sum::<u64>());
        line(
            out,
            &format!("<p class=\"note\">{count} errors of {pairs} other pairs</p>"),
        );
    }
}

fn push_example(example: &Example, out: &mut String) {
    let place = escape(&example.place());
    let found = example.found.as_ref().map_or(String::new(), |found| {
        format!(" <em>found: <mark>{}</mark></em>", escape(found))
    });
    line(
        out,
        &format!(
            "<blockquote><bdi>{} <mark>{}</mark> {}</bdi>{found} <cite title=\"{place}\">{place}</cite></blockquote>",
            escape(&example.left),
            escape(&example.text),
            escape(&example.right),
        ),
    );
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::super::compare::Randomization;
    use super::super::report::Against;
    use super::super::sample::documents;
    use super::super::task::Task;
    use super::*;

    fn of(task: Task, gold: &str, system: &str) -> String {
        let (gold, system) = (documents(gold), documents(system));
        let metrics = (task, task.word_metrics());
        let mut run = Run::of("gold tokens", metrics, &gold, &system, None).unwrap();
        let against = Against {
            name: "<other>".to_owned(),
            randomization: Randomization::default(),
        };
        run.compare(&gold, &system, (&against, &gold)).unwrap();
        let report = Report {
            task,
            gold: vec!["a&b.conllu".to_owned()],
            system: vec!["model".to_owned()],
            runs: vec![run],
        };
        report.to_html(5)
    }

    #[test]
    fn a_page_holds_scores_comparison_matrix_and_errors() {
        let page = of(Task::Pos, "the/DET run/NOUN", "the/DET run/VERB");
        for part in [
            "<title>pos eval: a&amp;b.conllu</title>",
            "<tr><th scope=\"row\">UPOS</th><td>50.00</td>",
            "<h3>Compared with &lt;other&gt;</h3>",
            "<td>-50.00</td><td>1.0000</td>",
            "title=\"gold NOUN, predicted VERB: 1 of 1 words, 100.0 %\">1</td>",
            "<b>NOUN as VERB</b>",
            "<bdi>the <mark>run</mark> </bdi> <cite title=\"sentence 1\">",
        ] {
            assert!(page.contains(part), "{part}\n{page}");
        }
    }

    #[test]
    fn whatever_stands_in_the_text_is_text() {
        let gold = "<script>/<b>/\"'& x/Y";
        let page = of(Task::Pos, gold, "<script>/Z x/<i>");
        for tag in ["<script", "<b>/", "<i>"] {
            assert!(!page.contains(tag), "{tag}\n{page}");
        }
        assert!(page.contains("<mark>&lt;script&gt;</mark>"), "{page}");
        assert_eq!(escape("a\u{0}\u{1b}\"'"), "a\u{fffd}\u{fffd}&quot;&#39;");
    }

    #[test]
    fn a_page_asks_for_nothing_from_elsewhere() {
        let page = of(Task::Ner, "a////B-PER b", "a b////B-PER");
        for part in [
            "http:", "https:", "src=", "href=", "url(", "@import", "<link",
        ] {
            assert!(!page.contains(part), "{part}");
        }
        assert!(page.contains("<b>PER missed</b>") && page.contains("<b>PER spurious</b>"));
    }
}
