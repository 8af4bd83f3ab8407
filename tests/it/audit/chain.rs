//! The hash chain continues across rotation, restarts and crashes, and the file is private and
//! locked.

use std::{fs, io::Write, path::Path};

use octopus_mcp::{
    app,
    audit::{ExpectedChain, Verification, verify},
    config::{ByteSize, Config, DurationSetting},
};
use octopus_sample::keys;
use serde_json::json;

use super::{AuditFixture, read_lines, read_records};

fn verify_files(files: &[std::path::PathBuf]) -> Verification {
    let open = |path: &std::path::PathBuf| Ok(std::io::BufReader::new(fs::File::open(path)?));
    verify(files.iter().map(open), &ExpectedChain::default()).unwrap()
}

async fn call_times(recorded: &AuditFixture, count: usize) {
    for _ in 0..count {
        recorded.approval.server.call_as(keys::ADMIN, "list_spaces", json!({})).await;
    }
}

/// Returns the files of a folder, oldest first.
fn sorted_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    // The file without a number is the newest.
    files.sort_by_key(|path| (path.extension().is_some_and(|e| e == "jsonl"), path.clone()));
    files
}

#[tokio::test]
async fn chain_continues_after_restart() {
    let recorded = AuditFixture::start().await;
    call_times(&recorded, 2).await;
    let folder = recorded.stop().await;
    let recorded = AuditFixture::in_folder(folder, |_| {}).await;
    call_times(&recorded, 2).await;
    let path = recorded.path();
    let folder = recorded.stop().await;
    let verified = verify_files(std::slice::from_ref(&path));
    assert_eq!((verified.findings, verified.records), (vec![], 6));
    let all = read_lines(&path);
    assert_eq!(all[0]["begin"]["why"], "first");
    assert_eq!(
        (&all[3]["begin"]["why"], &all[3]["begin"]["after"]),
        (&json!("restarted"), &json!(3))
    );
    assert_eq!(all[3]["prev"], all[2]["hash"]);
    drop(folder);
}

#[tokio::test]
async fn chain_continues_across_size_rotation_and_old_files_are_deleted() {
    let recorded = AuditFixture::with(|config| {
        config.audit.file.rotate_bytes = ByteSize(4096);
        config.audit.file.keep = 2;
    })
    .await;
    call_times(&recorded, 60).await;
    let folder = recorded.stop().await;
    let rotated = sorted_files(folder.path());
    assert_eq!(rotated.len(), 3, "{rotated:?}");
    let verified = verify_files(&rotated);
    assert_eq!(verified.findings, []);
    assert!(verified.after > 0, "older files are deleted");
    for file in &rotated {
        assert!(fs::metadata(file).unwrap().len() <= 4096 + 512);
        assert_eq!(read_lines(file)[0]["begin"]["why"], "rotated");
    }
    let last = read_records(&rotated[2]).pop().unwrap();
    let first_seq = read_lines(&rotated[2])[0]["seq"].as_u64().unwrap();
    assert!(last["seq"].as_u64().unwrap() > 60 && first_seq > 1);
    // A missing file breaks the chain.
    let findings = verify_files(&[rotated[0].clone(), rotated[2].clone()]).findings;
    let [gap] = findings.as_slice() else { panic!("{findings:?}") };
    assert_eq!((gap.file, gap.line), (1, 1));
    let expected = format!("records are missing before record {first_seq}");
    assert!(gap.message.ends_with(&expected), "{gap:?}");
}

#[tokio::test]
async fn rotates_by_age() {
    let recorded = AuditFixture::with(|config| {
        config.audit.file.rotate_after = DurationSetting(std::time::Duration::from_nanos(1));
    })
    .await;
    call_times(&recorded, 3).await;
    let folder = recorded.stop().await;
    let rotated = sorted_files(folder.path());
    assert_eq!(rotated.len(), 3);
    assert_eq!(verify_files(&rotated).findings, []);
}

/// A crash can leave a partial record, or an empty file if it happens during rotation.
#[tokio::test]
async fn marks_partial_record_of_a_crash_and_continues() {
    let recorded = AuditFixture::start().await;
    call_times(&recorded, 2).await;
    let path = recorded.path();
    let folder = recorded.stop().await;
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"{\"v\":1,\"seq\":4,\"ki").unwrap();
    let recorded = AuditFixture::in_folder(folder, |_| {}).await;
    call_times(&recorded, 1).await;
    let folder = recorded.stop().await;
    let verified = verify_files(std::slice::from_ref(&path));
    assert_eq!((verified.findings, verified.notes.len()), (vec![], 1));

    // Only the line feed is missing: the record is complete.
    let text = fs::read(&path).unwrap();
    fs::write(&path, text.strip_suffix(b"\n").unwrap()).unwrap();
    let recorded = AuditFixture::in_folder(folder, |_| {}).await;
    call_times(&recorded, 1).await;
    let folder = recorded.stop().await;
    let verified = verify_files(std::slice::from_ref(&path));
    assert_eq!((verified.findings, verified.notes.len()), (vec![], 1));

    let rotated_file = folder.path().join(format!("audit.jsonl.{:012}", verified.last.unwrap().0));
    fs::rename(&path, &rotated_file).unwrap();
    fs::write(&path, "").unwrap();
    let recorded = AuditFixture::in_folder(folder, |_| {}).await;
    call_times(&recorded, 1).await;
    let folder = recorded.stop().await;
    assert_eq!(verify_files(&[rotated_file, path.clone()]).findings, []);
    assert_eq!(read_lines(&path)[0]["begin"]["why"], "rotated");
    drop(folder);
}

/// Rotation is due by age or by size, and the file ends in a partial record or lacks its last line
/// feed. A file with only a partial record has no sequence number yet, so rotation could overwrite
/// the file before it.
#[tokio::test]
async fn marks_partial_record_before_a_due_rotation() {
    type Cut = fn(&str) -> usize;
    type Due = (&'static str, fn(&mut Config));
    let damages: [(&str, Cut, usize); 2] =
        [("torn", |text| text.len() - 40, 1), ("no line feed", |text| text.len() - 1, 0)];
    let rotations: [Due; 2] = [
        ("age", |config| {
            config.audit.file.rotate_after = DurationSetting(std::time::Duration::from_nanos(1));
        }),
        ("size", |config| config.audit.file.rotate_bytes = ByteSize(1)),
    ];
    for ((damage, cut_at, notes), (rotation, settings)) in
        damages.into_iter().flat_map(|damage| rotations.map(|rotation| (damage, rotation)))
    {
        let recorded = AuditFixture::start().await;
        call_times(&recorded, 2).await;
        let path = recorded.path();
        let folder = recorded.stop().await;
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, &text[..cut_at(&text)]).unwrap();
        let recorded = AuditFixture::in_folder(folder, settings).await;
        call_times(&recorded, 3).await;
        let folder = recorded.stop().await;
        let rotated = sorted_files(folder.path());
        assert!(rotated.len() > 1, "{damage} by {rotation}: the file was rotated");
        let verified = verify_files(&rotated);
        assert_eq!(
            (verified.findings, verified.notes.len()),
            (vec![], notes),
            "{damage} by {rotation}"
        );

        // The newest file contains only a partial record.
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, &text[..40]).unwrap();
        let recorded = AuditFixture::in_folder(folder, settings).await;
        call_times(&recorded, 2).await;
        let folder = recorded.stop().await;
        let after = sorted_files(folder.path());
        assert!(
            rotated[..rotated.len() - 1].iter().all(|file| after.contains(file)),
            "{damage} by {rotation}"
        );
        let verified = verify_files(&after);
        assert_eq!(
            (verified.findings, verified.notes.len()),
            (vec![], notes + 1),
            "{damage} by {rotation}"
        );
    }
}

#[tokio::test]
async fn audit_file_is_private_and_locked() {
    let recorded = AuditFixture::start().await;
    call_times(&recorded, 1).await;
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
    let error = app::start(config.clone()).await.unwrap_err().to_string();
    assert!(error.contains("locked by another process"), "{error}");
    let path = recorded.path();
    let folder = recorded.stop().await;
    fs::write(&path, "{\"not\":\"a record\"}\n").unwrap();
    let error = app::start(config).await.unwrap_err().to_string();
    assert!(error.contains("audit verify"), "{error}");
    drop(folder);
}
