//! The chain goes on over turns, restarts and crashes, and everybody else is kept out of the file.

use std::{fs, io::Write, path::Path};

use octopus_mcp::{
    app,
    audit::{Expected, Verified, verify},
    config::{ByteSize, Config, Period},
};
use octopus_sample::keys;
use serde_json::json;

use super::{Recorded, lines, records};

fn checked(files: &[std::path::PathBuf]) -> Verified {
    let open = |path: &std::path::PathBuf| Ok(std::io::BufReader::new(fs::File::open(path)?));
    verify(files.iter().map(open), &Expected::default()).unwrap()
}

async fn calls(recorded: &Recorded, count: usize) {
    for _ in 0..count {
        recorded.desk.server.call_as(keys::ADMIN, "list_spaces", json!({})).await;
    }
}

/// Every file of a folder, oldest first.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    // The one without a number is the newest.
    files.sort_by_key(|path| (path.extension().is_some_and(|e| e == "jsonl"), path.clone()));
    files
}

#[tokio::test]
async fn the_chain_goes_on_over_a_restart() {
    let recorded = Recorded::start().await;
    calls(&recorded, 2).await;
    let folder = recorded.stop().await;
    let recorded = Recorded::within(folder, |_| {}).await;
    calls(&recorded, 2).await;
    let path = recorded.path();
    let folder = recorded.stop().await;
    let found = checked(std::slice::from_ref(&path));
    assert_eq!((found.findings, found.records), (vec![], 6));
    let all = lines(&path);
    assert_eq!(all[0]["begin"]["why"], "first");
    assert_eq!(
        (&all[3]["begin"]["why"], &all[3]["begin"]["after"]),
        (&json!("restarted"), &json!(3))
    );
    assert_eq!(all[3]["prev"], all[2]["hash"]);
    drop(folder);
}

#[tokio::test]
async fn the_chain_goes_on_over_rotation_by_size_and_so_many_files_are_kept() {
    let recorded = Recorded::with(|config| {
        config.audit.file.rotate_bytes = ByteSize(4096);
        config.audit.file.keep = 2;
    })
    .await;
    calls(&recorded, 60).await;
    let folder = recorded.stop().await;
    let kept = files(folder.path());
    assert_eq!(kept.len(), 3, "{kept:?}");
    let found = checked(&kept);
    assert_eq!(found.findings, []);
    assert!(found.after > 0, "older ones are gone");
    for file in &kept {
        assert!(fs::metadata(file).unwrap().len() <= 4096 + 512);
        assert_eq!(lines(file)[0]["begin"]["why"], "rotated");
    }
    let last = records(&kept[2]).pop().unwrap();
    let notices = lines(&kept[2])[0]["seq"].as_u64().unwrap();
    assert!(last["seq"].as_u64().unwrap() > 60 && notices > 1);
    // Without the file between them, the two others do not follow each other.
    assert!(!checked(&[kept[0].clone(), kept[2].clone()]).findings.is_empty());
}

#[tokio::test]
async fn the_file_takes_turns_by_age() {
    let recorded = Recorded::with(|config| {
        config.audit.file.rotate_after = Period(std::time::Duration::from_nanos(1));
    })
    .await;
    calls(&recorded, 3).await;
    let folder = recorded.stop().await;
    let kept = files(folder.path());
    assert_eq!(kept.len(), 3);
    assert_eq!(checked(&kept).findings, []);
}

/// A crash leaves half a record; one between a turn and the first record leaves an empty file.
#[tokio::test]
async fn what_a_crash_leaves_is_marked_and_the_chain_goes_on() {
    let recorded = Recorded::start().await;
    calls(&recorded, 2).await;
    let path = recorded.path();
    let folder = recorded.stop().await;
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"{\"v\":1,\"seq\":4,\"ki").unwrap();
    let recorded = Recorded::within(folder, |_| {}).await;
    calls(&recorded, 1).await;
    let folder = recorded.stop().await;
    let found = checked(std::slice::from_ref(&path));
    assert_eq!((found.findings, found.notes.len()), (vec![], 1));

    // Only the end of the line is missing: the record is whole.
    let text = fs::read(&path).unwrap();
    fs::write(&path, text.strip_suffix(b"\n").unwrap()).unwrap();
    let recorded = Recorded::within(folder, |_| {}).await;
    calls(&recorded, 1).await;
    let folder = recorded.stop().await;
    let found = checked(std::slice::from_ref(&path));
    assert_eq!((found.findings, found.notes.len()), (vec![], 1));

    let away = folder.path().join(format!("audit.jsonl.{:012}", found.last.unwrap().0));
    fs::rename(&path, &away).unwrap();
    fs::write(&path, "").unwrap();
    let recorded = Recorded::within(folder, |_| {}).await;
    calls(&recorded, 1).await;
    let folder = recorded.stop().await;
    assert_eq!(checked(&[away, path.clone()]).findings, []);
    assert_eq!(lines(&path)[0]["begin"]["why"], "rotated");
    drop(folder);
}

/// By age, by size, with the end of the line alone missing, and with nothing but half a record:
/// that file has no number of its own yet, and would take the place of the one before.
#[tokio::test]
async fn what_a_crash_leaves_in_a_file_that_is_due_for_its_turn_is_marked_before_the_turn() {
    type Cut = fn(&str) -> usize;
    type Due = (&'static str, fn(&mut Config));
    let cuts: [(&str, Cut, usize); 2] =
        [("torn", |text| text.len() - 40, 1), ("open", |text| text.len() - 1, 0)];
    let due: [Due; 2] = [
        ("age", |config| {
            config.audit.file.rotate_after = Period(std::time::Duration::from_nanos(1));
        }),
        ("size", |config| config.audit.file.rotate_bytes = ByteSize(1)),
    ];
    for ((cut, at, notes), (by, settings)) in
        cuts.into_iter().flat_map(|cut| due.map(|due| (cut, due)))
    {
        let recorded = Recorded::start().await;
        calls(&recorded, 2).await;
        let path = recorded.path();
        let folder = recorded.stop().await;
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, &text[..at(&text)]).unwrap();
        let recorded = Recorded::within(folder, settings).await;
        calls(&recorded, 3).await;
        let folder = recorded.stop().await;
        let kept = files(folder.path());
        assert!(kept.len() > 1, "{cut} by {by}: its turn came");
        let found = checked(&kept);
        assert_eq!((found.findings, found.notes.len()), (vec![], notes), "{cut} by {by}");

        // The newest file holds half a record, and nothing else.
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, &text[..40]).unwrap();
        let recorded = Recorded::within(folder, settings).await;
        calls(&recorded, 2).await;
        let folder = recorded.stop().await;
        let after = files(folder.path());
        assert!(kept[..kept.len() - 1].iter().all(|file| after.contains(file)), "{cut} by {by}");
        let found = checked(&after);
        assert_eq!((found.findings, found.notes.len()), (vec![], notes + 1), "{cut} by {by}");
    }
}

#[tokio::test]
async fn nobody_else_reads_the_file_and_no_other_process_writes_to_it() {
    let recorded = Recorded::start().await;
    calls(&recorded, 1).await;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(recorded.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let mut config = Config::default();
    config.octopus.url = Some("http://127.0.0.1:9".parse().unwrap());
    config.http.listen = ([127, 0, 0, 1], 0).into();
    config.audit.file.path = Some(recorded.path());
    let refused = app::start(config.clone()).await.unwrap_err();
    assert!(refused.contains("another process writes to it"), "{refused}");
    let path = recorded.path();
    let folder = recorded.stop().await;
    fs::write(&path, "{\"not\":\"a record\"}\n").unwrap();
    let refused = app::start(config).await.unwrap_err();
    assert!(refused.contains("audit verify"), "{refused}");
    drop(folder);
}
