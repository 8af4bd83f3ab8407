//! `list_spaces` and `list_environments`.

use serde_json::json;

use super::held::{Held, column, snapshot};

#[tokio::test]
async fn list_spaces_shows_both_spaces() {
    let server = Held::start().await;
    let spaces = server.answer("list_spaces", json!({})).await;
    assert_eq!(column(&spaces, "id"), ["Spaces-1", "Spaces-22"]);
    assert_eq!(column(&spaces, "slug"), ["default", "warehouse-systems"]);
    assert_eq!(
        (&spaces["totalResults"], &spaces["items"][0]["isDefault"]),
        (&json!(2), &json!(true))
    );
    assert!(spaces.get("nextSkip").is_none() && spaces.get("hint").is_none());
    snapshot("list_spaces", &spaces);
}

#[tokio::test]
async fn list_spaces_filters_and_pages() {
    let server = Held::start().await;
    let found = server.answer("list_spaces", json!({ "partialName": "WARE" })).await;
    assert_eq!(column(&found, "name"), ["Warehouse Systems"]);
    let first = server.answer("list_spaces", json!({ "take": 1 })).await;
    assert_eq!((&first["nextSkip"], &first["numberOfPages"]), (&json!(1), &json!(2)));
    let second = server.answer("list_spaces", json!({ "take": 1, "skip": 1 })).await;
    assert_eq!(column(&second, "id"), ["Spaces-22"]);
    assert!(second.get("nextSkip").is_none());
    let none = server.answer("list_spaces", json!({ "partialName": "zzz" })).await;
    assert!(none["hint"].as_str().unwrap().contains("'zzz'"));
    let past = server.answer("list_spaces", json!({ "skip": 9 })).await;
    assert!(past["hint"].as_str().unwrap().contains("the list has 2 items"));
}

#[tokio::test]
async fn list_environments_keeps_the_order_of_octopus() {
    let server = Held::start().await;
    let list = server.answer("list_environments", json!({ "space": "Default" })).await;
    assert_eq!(column(&list, "name"), ["Development", "Test", "Staging", "Production"]);
    let production = &list["items"][3];
    assert_eq!(production["id"], "Environments-3");
    assert_eq!(production["sortOrder"], 3);
    assert_eq!(production["useGuidedFailure"], true);
    assert_eq!(production["extensionSettings"], json!([]));
    snapshot("list_environments", &list);
}

#[tokio::test]
async fn a_space_is_named_in_any_way_that_people_name_it() {
    let server = Held::start().await;
    let wanted = server.answer("list_environments", json!({ "space": "Spaces-22" })).await;
    assert_eq!(column(&wanted, "id"), ["Environments-21", "Environments-22"]);
    for arguments in [
        json!({ "space": "Warehouse Systems" }),
        json!({ "space": "WAREHOUSE systems" }),
        json!({ "space": " warehouse-systems " }),
        json!({ "space": "spaces-22" }),
        json!({ "spaceName": "warehouse systems" }),
        json!({ "spaceId": "Spaces-22", "partialName": null }),
    ] {
        assert_eq!(server.answer("list_environments", arguments).await, wanted);
    }
}

#[tokio::test]
async fn a_space_that_is_not_there_is_answered_with_near_names() {
    let server = Held::start().await;
    let arguments = json!({ "space": "Warehose Systems" });
    let words = ["space 'Warehose Systems' not found", "'Warehouse Systems'", "list_spaces"];
    server.refuses("list_environments", arguments, &words).await;
    server.refuses("list_environments", json!({}), &["space: ", "required", "list_spaces"]).await;
    let twice = json!({ "space": "Default", "spaceId": "Spaces-1" });
    server.refuses("list_environments", twice, &["given twice"]).await;
    for odd in ["constructor", "__proto__", "Spaces-9999", "../Spaces-1", ""] {
        let expected = format!("space '{odd}' not found");
        server.refuses("list_environments", json!({ "space": odd }), &[&expected]).await;
    }
}

#[tokio::test]
async fn list_environments_says_why_there_is_nothing() {
    let server = Held::start().await;
    let arguments = json!({ "space": "Default", "partialName": "yard" });
    let none = server.answer("list_environments", arguments).await;
    let hint = none["hint"].as_str().unwrap();
    assert!(hint.contains("'yard'") && hint.contains("'Default'"), "{hint}");
    assert_eq!(none["items"], json!([]));
}
