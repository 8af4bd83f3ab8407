//! Tests of [`Pattern`].

use super::*;

fn pattern(text: &str) -> Result<Pattern, BadPattern> {
    Pattern::new(text, false, false)
}

#[test]
fn each_build_of_a_pattern_is_checked_before() {
    let large = r"(?:\w{100}\s){100}";
    let mut builds = 0;
    let counted = |left: usize| {
        let builds = &mut builds;
        *builds = 0;
        Pattern::compile(large, false, false, move || {
            *builds += 1;
            if *builds > left { Err("no time left") } else { Ok(()) }
        })
    };
    let counted: Vec<_> = [0, 1, 2].map(counted).into();
    let [Err("no time left"), Err("no time left"), Ok(Err(BadPattern::TooLarge))] = &counted[..]
    else {
        panic!("{counted:?}")
    };
    assert_eq!(builds, 2);
}

#[test]
fn what_cannot_be_used_says_what_to_do() {
    for (text, words) in [
        ("", "empty"),
        ("a\nb", "line break"),
        (&"x".repeat(1001), "1001 characters"),
        ("(?=x)", "look-ahead"),
        ("(?<!a)b", "look-around"),
        (r"(a)\1", "backreferences are not supported"),
        ("(a", "unclosed group"),
        ("*", "fixedString"),
        (r"(?:\w{100}\s){100}", "too large"),
    ] {
        let error = pattern(text).unwrap_err().to_string();
        assert!(error.contains(words), "{text}: {error}");
        assert!(!error.contains('\n'), "{error}");
    }
    for text in ["*", "(a", "#{x}", r"\1", "(?=x)"] {
        let fixed = Pattern::new(text, false, true).unwrap();
        assert!(fixed.is_in(text.as_bytes()) && !fixed.is_in(b"nothing"), "{text}");
    }
}

#[test]
fn what_people_write_can_be_used() {
    for (text, line) in [
        (r"\w{1,20} failed with exit code \d{1,3}", "it failed with exit code 17"),
        ("/projects/{id}/{x,y}", "GET /projects/{id}/{x,y}"),
        ("#{Octopus.Environment.Name}", "x #{Octopus.Environment.Name} y"),
        (r"\{a\}", "{a}"),
        ("[{]a", "{a"),
        (r"\p{Lu}\x{62}{2}{c", "Äbb{c"),
        (r"a{2}{x}", "aa{x}"),
        (r"https?:\/\/", "http://"),
        ("(?i)É", "é"),
    ] {
        assert!(pattern(text).unwrap().is_in(line.as_bytes()), "{text}");
    }
}

#[test]
fn a_pattern_is_bounded_by_the_steps_of_one_call() {
    for hostile in [
        r"[a-z0-9][\t-~]{9000}[^\t-~]",
        r"(?:a{100}b{100}){40}",
        r"(?:\w{100}\s){100}",
        r"(?i)(?:[^é]{40}ü){40}",
    ] {
        assert_eq!(pattern(hostile).unwrap_err(), BadPattern::TooLarge, "{hostile}");
    }
    let words: Vec<String> = (0..50).map(|n| format!("timeout{n}word")).collect();
    for (useful, least) in [
        (r"\w+@\w+", 8 * 1024),
        (&*words.join("|"), 16 * 1024),
        (&*format!(r"(?i)\b(?:{})\b", words.join("|")), 16 * 1024),
        (r"(?i)\p{Lu}\p{Ll}+ überholt", 16 * 1024),
        (r"error.{0,80}timeout", 8 * 1024),
        (r"[a-z0-9][\t-~]{1000}[^\t-~]", 4 * 1024),
        (r"(?:a?){900}!", 4 * 1024),
        ("error", 256 * 1024),
    ] {
        let pattern = pattern(useful).unwrap();
        assert!(pattern.span() >= least, "{useful}: {}", pattern.span());
        let steps = pattern.span() * pattern.states;
        assert!(steps <= MOST_STEPS, "{useful}: {steps}");
        assert!(!pattern.is_ascii(), "{useful}");
    }
}

#[test]
fn classes_match_ascii_alone_when_the_pattern_would_be_too_large() {
    let pattern = pattern(r"\w{1,20} failed with exit code \d{1,3}").unwrap();
    assert!(pattern.is_ascii());
    assert!(pattern.is_in(b"it failed with exit code 17"));
    assert!(!pattern.is_in("é failed with exit code 17".as_bytes()));
}

#[test]
fn what_is_in_a_line_is_in_the_lines_together() {
    let lines = b"first\r\n\nthe second line\nthird";
    for text in
        ["^first$", "^$", r"\Athe", r"line\z", "(?-m)^the", "(?s-m:line$)", "(?x: (?-m) ^third)"]
    {
        let pattern = pattern(text).unwrap();
        let alone = lines
            .split(|byte| *byte == b'\n')
            .any(|line| pattern.is_in(line.strip_suffix(b"\r").unwrap_or(line)));
        assert!(alone && pattern.may_be_in(lines), "{text}");
    }
    assert!(!pattern("^second").unwrap().may_be_in(lines));
}
