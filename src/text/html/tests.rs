use super::*;
use crate::text::conllu;
use crate::text::plain::parse_tokens;
use proptest::prelude::*;

fn page(document: &mut Document, highlight: Highlight) -> String {
    let mut out = String::new();
    print(document, highlight, true, &mut Legend::default(), &mut out);
    out
}

/// Words parted by a space, with `NER` and `UPOS` of each behind a `/`.
fn document(text: &str) -> Document {
    let parts = || text.split(' ').map(|part| part.split('/'));
    let forms: Vec<_> = parts().filter_map(|mut part| part.next()).collect();
    let mut document = parse_tokens(&forms.join(" "));
    for (word, mut part) in document.sentences[0].words.iter_mut().zip(parts()) {
        part.next();
        word.misc.set("NER", part.next().unwrap_or("O"));
        word.upos = part.next().unwrap_or("").into();
    }
    document
}

#[test]
fn an_entity_is_a_mark_with_its_label() {
    let mut document = document("Ann/B-PER Lee/I-PER saw oaks/B-OAK");
    assert_eq!(
        page(&mut document, Highlight::Entities),
        "<p dir=\"auto\"><mark class=\"c8\" data-label=\"PER\">Ann Lee</mark> saw \
         <mark class=\"c8\" data-label=\"OAK\">oaks</mark></p>\n"
    );
}

#[test]
fn words_have_the_colour_of_their_tag() {
    assert_eq!(
        page(
            &mut document("Ann/B-PER/PROPN !/O/PUNCT ?"),
            Highlight::Tags
        ),
        "<p dir=\"auto\"><span class=\"c9\" tabindex=\"0\" data-tip=\"PROPN\">Ann</span> \
         <span tabindex=\"0\" data-tip=\"PUNCT\">!</span> ?</p>\n"
    );
}

#[test]
fn both_words_of_a_token_tell_what_is_known_of_them_and_of_its_entity() {
    let text = "1-2\tdon't\t_\t_\t_\t_\t_\t_\t_\t_\n\
                1\tdo\tdo\tAUX\tVBP\tMood=Ind|Tense=Pres\t_\t_\t_\tNER=B-X|Value=5\n\
                2\tn't\tnot\tPART\t_\t_\t_\t_\t_\t_\n\n";
    let mut document = conllu::parse(text, 1).unwrap();
    let page = page(&mut document, Highlight::Entities);
    let tip = "data-tip=\"X: 5\ndo: do · AUX · VBP\nMood=Ind · Tense=Pres\nn&#39;t: not · PART\">don&#39;t</span></mark>";
    assert!(page.contains(tip), "{page}");
}

#[test]
fn nothing_of_the_input_is_markup() {
    let mut document = document("<b>&\"' x");
    document.id = Some("<i>\u{1}".to_string());
    document.sentences[0].opens = Opens::Document;
    document.sentences[0].words[1].misc.set("NER", "\"><");
    let page = page(&mut document, Highlight::Entities);
    let label = "data-label=\"&quot;&gt;&lt;\"";
    assert!(page.contains("<h2 dir=\"auto\">&lt;i&gt;␁</h2>"), "{page}");
    assert!(page.contains("&lt;b&gt;&amp;&quot;&#39; "), "{page}");
    assert!(page.contains(label), "{page}");
    assert!(head("</title>").contains("<title>&lt;/title&gt;</title>"));
}

#[test]
fn blank_lines_part_paragraphs_and_single_ones_do_not() {
    let mut document = document("a b c/B-X d/I-X");
    let gaps = ["\\n", "\\n\\s\\n\\s\\s", "\\n\\n", "\\n"];
    for (word, gap) in document.sentences[0].words.iter_mut().zip(gaps) {
        word.misc.set("SpacesAfter", gap);
    }
    let page = page(&mut document, Highlight::Entities);
    let plain = regex::Regex::new("<([a-z]+) [^>]*>").unwrap();
    let plain = plain.replace_all(&page, "<$1>");
    assert_eq!(plain, "<p>a\nb</p>\n \n<p>  <mark>c\n\nd</mark>\n</p>\n");
}

#[test]
fn documents_have_a_heading_or_a_rule_and_their_later_windows_do_not() {
    let start = |id: Option<&str>, opens, one_line| {
        let mut document = document("a");
        document.id = id.map(str::to_string);
        document.sentences[0].opens = opens;
        let mut out = String::new();
        let legend = &mut Legend::default();
        print(&mut document, Highlight::Tags, one_line, legend, &mut out);
        out.split("<p").next().unwrap_or_default().to_string()
    };
    let heading = "<h2 dir=\"auto\">i</h2>\n";
    assert_eq!(start(Some("i"), Opens::Document, true), heading);
    assert_eq!(start(Some("i"), Opens::Paragraph, false), "");
    assert_eq!(start(None, Opens::Document, false), "<hr>\n");
    assert_eq!(start(None, Opens::Document, true), "");
}

#[test]
fn the_legend_counts_and_is_the_same_in_any_order() {
    let part = |names: std::ops::Range<usize>| {
        let mut legend = Legend::default();
        names.for_each(|i| legend.count(&format!("{:03}", i % 100)));
        legend
    };
    let (mut one, mut other) = (part(0..150), part(20..220));
    one.merge(part(20..220));
    other.merge(part(0..150));
    assert_eq!(one, other);
    assert_eq!(one.0.len(), LONGEST_LEGEND);
    assert_eq!(one.0["019"], 2 + 2);
    assert_eq!(one.0["059"], 1 + 2);
    let foot = Legend(BTreeMap::from([("PER".to_string(), 2)])).foot(Highlight::Entities);
    assert!(
        foot.contains("<b class=\"c8\">PER</b> person 2</span>"),
        "{foot}"
    );
}

/// The text of a page, and whether every tag that begins ends, innermost first.
fn text_and_balance(page: &str) -> (String, bool) {
    let (mut text, mut open, mut balanced) = (String::new(), Vec::new(), true);
    for part in page.split('<').skip(1) {
        let (tag, behind) = part.split_once('>').unwrap_or(("/", part));
        match tag.strip_prefix('/') {
            Some(name) => balanced &= open.pop() == Some(name),
            None => open.push(tag.split(' ').next().unwrap_or_default()),
        }
        text += behind;
    }
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ];
    for (entity, c) in entities {
        text = text.replace(entity, c);
    }
    (text, balanced && open.is_empty())
}

proptest! {
    #[test]
    fn a_page_has_the_text_of_its_document_and_its_tags_balance(
        document in crate::text::arbitrary::located(),
        tags in any::<bool>(),
    ) {
        let highlight = if tags { Highlight::Tags } else { Highlight::Entities };
        let mut document = Document { id: None, ..document };
        let text = document.text.clone().unwrap_or_default();
        let (shown, balanced) = text_and_balance(&format!("<x></x>{}", page(&mut document, highlight)));
        let seen: String = visible(&text, 0..text.len()).collect();
        prop_assert_eq!(shown, seen + "\n");
        prop_assert!(balanced);
    }
}

/// The parts of a colour, from 0 to 1 (<https://www.w3.org/TR/css-color-4/#hsl-to-rgb>).
fn rgb(hue: f64, saturation: f64, lightness: f64) -> [f64; 3] {
    let a = saturation * lightness.min(1.0 - lightness);
    [0.0, 8.0, 4.0].map(|n| {
        let k = (n + hue / 30.0) % 12.0;
        lightness - a * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0)
    })
}

/// Relative luminance and contrast (<https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio>).
fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let luminance = |rgb: [f64; 3]| {
        let [r, g, b] = rgb.map(|c| {
            if c <= 0.04045 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// The values of a variable of the style sheet: two where it differs between light and dark.
fn values(name: &str) -> Vec<&'static str> {
    let behind = STYLE
        .split(name)
        .skip(1)
        .filter_map(|part| part.strip_prefix(": "));
    behind
        .filter_map(|part| part.split([';', '}']).next())
        .collect()
}

fn hex(colour: &str) -> [f64; 3] {
    let digits = u32::from_str_radix(&colour[1..], 16).unwrap();
    [16, 8, 0].map(|shift| f64::from((digits >> shift) & 255) / 255.0)
}

#[test]
fn every_text_stands_out_from_its_ground_in_both_schemes() {
    let hues = values("--h");
    assert_eq!(hues.len(), crate::text::highlight::COLOURS);
    let tone = |tone: &str, hue: &str| {
        let parts = tone.split(' ').map(|part| part.trim_end_matches('%'));
        let parts: Vec<f64> = parts.map(|part| part.parse().unwrap()).collect();
        rgb(
            hue.trim().parse().unwrap(),
            parts[0] / 100.0,
            parts[1] / 100.0,
        )
    };
    for scheme in 0..2 {
        let [paper, ink, faint] = ["--paper", "--ink", "--faint"].map(|v| hex(values(v)[scheme]));
        assert!(contrast(ink, paper) >= 7.0 && contrast(faint, paper) >= 4.5);
        for hue in &hues {
            let fill = tone(values("--fill")[scheme], hue);
            let deep = tone(values("--deep")[scheme], hue);
            let (ink, deep) = (contrast(ink, fill), contrast(deep, fill));
            assert!(ink >= 7.0 && deep >= 4.5, "hue {hue}: {ink:.1}, {deep:.1}");
        }
    }
}
