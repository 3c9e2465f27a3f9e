//! `batch/parallel.sh`, with GNU parallel.

use super::{Place, at_hand, lines};

/// Skips where there is no GNU parallel; moreutils has another one.
fn place() -> Option<Place> {
    let is_there = at_hand("batch/parallel.sh", "parallel --version | grep -q '^GNU'");
    is_there.then(Place::new)
}

#[test]
fn the_blocks_of_a_file_give_what_the_whole_gives() {
    let Some(place) = place() else { return };
    place.write("in.txt", lines(400));
    let blocks = place.run("parallel.sh -b 1k in.txt out.txt pos --from lines --to text");
    assert_eq!(blocks.text(), "");
    let whole = place.run("wordmill pos --from lines --to text in.txt");
    assert_eq!(place.read("out.txt"), whole.text());
}

#[test]
fn arguments_reach_the_command_as_they_are() {
    let Some(place) = place() else { return };
    place.write("in.txt", lines(100));
    // GNU parallel would fill in the braces, a shell the rest.
    let args =
        r#"tokenize --from lines --scheme regex --pattern "[A-Z]{1}[a-z]+|\"|it's|\$HOME| ;""#;
    place
        .run(&format!("parallel.sh -b 1k in.txt out.txt {args}"))
        .text();
    let whole = place.run(&format!("wordmill {args} in.txt"));
    assert_eq!(place.read("out.txt"), whole.text());
}

#[test]
fn running_text_is_cut_between_paragraphs() {
    let Some(place) = place() else { return };
    place.write(
        "in.txt",
        "One sentence that\ngoes on. And\none more.\n\n".repeat(80),
    );
    place
        .run(r"parallel.sh -b 500 -e '\n\n' in.txt out.txt tokenize")
        .text();
    let whole = place.run("wordmill tokenize in.txt");
    assert_eq!(place.read("out.txt"), whole.text());
}

#[test]
fn a_block_that_fails_fails_the_whole_and_leaves_the_old_output() {
    let Some(place) = place() else { return };
    place.write(
        "in.txt",
        [lines(200).as_bytes(), b"\n\xFF\n", lines(200).as_bytes()].concat(),
    );
    place.write("out.txt", "old");
    let said = place
        .run("parallel.sh -b 1k in.txt out.txt stem --from lines")
        .fails(1);
    assert!(said.contains("invalid UTF-8"), "{said}");
    assert_eq!(place.read("out.txt"), "old");
    assert_eq!(
        place.listing("."),
        ["corpora", "in.txt", "out.txt", "stubs"]
    );
}

#[test]
fn an_empty_file_gives_what_the_command_gives_of_nothing() {
    let Some(place) = place() else { return };
    place.write("in.txt", "");
    place
        .run("parallel.sh in.txt out.txt pos --from lines --to tsv --header")
        .text();
    assert_eq!(place.read("out.txt"), "form\tupos\txpos\tfeats\n");
}

/// What ssh does with a host, on this machine: a home and a shell of its own, which runs the line.
const SSH: &str = r#"while [[ $1 == -* ]]; do [[ $1 == -[olp] ]] && shift; shift; done
host=$1; shift
[[ $1 == -- ]] && shift
export HOME=$PWD/home-$host SHELL=/bin/sh
mkdir -p "$HOME"
echo "$*" >> "$HOME/lines"
cd "$HOME" && exec "$SHELL" -c "$*""#;

#[test]
fn hosts_get_the_binary_and_their_share_of_the_blocks() {
    let Some(place) = place() else { return };
    place.stub("ssh", SSH);
    place.write("in.txt", lines(400));
    place
        .run("parallel.sh -b 1k -S 1/one,1/two in.txt out.txt stem --from lines")
        .text();
    let whole = place.run("wordmill stem --from lines in.txt");
    assert_eq!(place.read("out.txt"), whole.text());
    for host in ["home-one", "home-two"] {
        assert_eq!(
            place.listing(&format!("{host}/.cache/wordmill")),
            ["wordmill"]
        );
        let calls = place.read(&format!("{host}/lines")).lines().count();
        assert!(calls > 1, "{host} got no block");
    }
}

#[test]
fn hosts_get_the_command_whatever_the_shell_and_the_home_of_the_caller() {
    let Some(place) = place() else { return };
    place.stub("ssh", SSH);
    place.write("in.txt", lines(40));
    let whole = place.run("wordmill stem --from lines in.txt").text();
    for caller in ["-u SHELL", "-u HOME", "SHELL=/bin/csh", "SHELL=/bin/zsh"] {
        let line = "parallel.sh -S 1/one -w wordmill in.txt out.txt stem --from lines";
        place.run(&format!("env {caller} {line}")).text();
        assert_eq!(place.read("out.txt"), whole, "{caller}");
    }
}

#[test]
fn a_binary_that_hosts_have_is_not_sent() {
    let Some(place) = place() else { return };
    place.stub("ssh", SSH);
    place.write("in.txt", lines(40));
    place
        .run("parallel.sh -S 1/one -w wordmill in.txt out.txt stem --from lines")
        .text();
    let whole = place.run("wordmill stem --from lines in.txt");
    assert_eq!(place.read("out.txt"), whole.text());
    assert!(!place.path("home-one/.cache").exists());
}

#[test]
fn a_host_that_is_lost_fails_the_whole() {
    let Some(place) = place() else { return };
    // It takes the binary and is gone when the first block comes.
    place.stub(
        "ssh",
        r#"[[ "$*" == *"cat > new"* ]] && exec cat > /dev/null; exit 255"#,
    );
    place.write("in.txt", lines(40));
    let lost = place
        .run("parallel.sh -S 1/one in.txt out.txt stem --from lines")
        .run();
    lost.expect(lost.status != 0, "failure");
    assert!(!place.path("out.txt").exists());
}
