//! Tests of [`Pattern`].

use super::*;

fn pattern(text: &str) -> Result<Pattern, BadPattern> {
    Pattern::new(text, false, false)
}

#[test]
fn calls_check_before_each_build() {
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
fn errors_explain_how_to_correct_the_pattern() {
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
        assert!(fixed.is_match(text.as_bytes()) && !fixed.is_match(b"nothing"), "{text}");
    }
}

#[test]
fn accepts_common_patterns() {
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
        assert!(pattern(text).unwrap().is_match(line.as_bytes()), "{text}");
    }
}

#[test]
fn steps_of_one_call_are_bounded() {
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
        assert!(
            pattern.max_bytes_per_call() >= least,
            "{useful}: {}",
            pattern.max_bytes_per_call()
        );
        let steps = pattern.max_bytes_per_call() * pattern.states;
        assert!(steps <= MAX_STEPS_PER_CALL, "{useful}: {steps}");
        assert!(!pattern.is_ascii(), "{useful}");
    }
}

#[test]
fn large_patterns_fall_back_to_ascii_classes() {
    let pattern = pattern(r"\w{1,20} failed with exit code \d{1,3}").unwrap();
    assert!(pattern.is_ascii());
    assert!(pattern.is_match(b"it failed with exit code 17"));
    assert!(!pattern.is_match("é failed with exit code 17".as_bytes()));
}

#[test]
fn single_line_match_is_a_match_in_all_lines() {
    let lines = b"first\r\n\nthe second line\nthird";
    for text in
        ["^first$", "^$", r"\Athe", r"line\z", "(?-m)^the", "(?s-m:line$)", "(?x: (?-m) ^third)"]
    {
        let pattern = pattern(text).unwrap();
        let alone = lines
            .split(|byte| *byte == b'\n')
            .any(|line| pattern.is_match(line.strip_suffix(b"\r").unwrap_or(line)));
        assert!(alone && pattern.may_match_any(lines), "{text}");
    }
    assert!(!pattern("^second").unwrap().may_match_any(lines));
}
