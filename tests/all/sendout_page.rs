//! A sendout's page as it comes, without scripts: two attempts compared, chosen by a plain form.

use audit_log::model::rights::Role;
use audit_log::server::access::REMEMBERED_MS;
use audit_log::server::store::accounts;
use audit_log::server::webhooks;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Receiver, TestApp};
use crate::webhooks::{ALL, add_endpoint, allow, ask, post_event, until};

/// The section with the form, as it is on the page with this query.
async fn compared(app: &TestApp, cookie: &str, page: &str, query: &str) -> String {
    let answer = app.get_as(cookie, &format!("{page}{query}")).await;
    assert_eq!(answer.status(), 200, "{query}");
    let text = answer.text().await.unwrap().replace("<!>", "");
    let (_, section) = text.split_once("id=\"compare\"").expect("attempts are compared");
    section.split_once("</section>").unwrap().0.to_owned()
}

/// The page that compares, with this query.
async fn shown(app: &TestApp, cookie: &str, page: &str, query: &str) -> String {
    let answer = app.get_as(cookie, &format!("{page}/compare{query}")).await;
    assert_eq!(answer.status(), 200, "{query}");
    let text = answer.text().await.unwrap().replace("<!>", "");
    let (_, main) = text.split_once("<main").unwrap();
    main.split_once("</main>").unwrap().0.to_owned()
}

/// The attempts that are chosen in its form.
fn chosen(section: &str) -> Vec<&str> {
    let options = section.split("<option").skip(1);
    let selected = options.filter(|option| option.split('>').next().unwrap().contains("selected"));
    selected
        .map(|option| option.split_once('>').unwrap().1.split('<').next().unwrap())
        .collect()
}

for_each_db! {
    with allow;

    async fn attempts_are_compared_by_a_plain_form(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Auditor).await;
        let key = app.add_key(&project, &ALL).await;
        let receiver = Receiver::start(|before, _| match before {
            0 => Answer::With(500, Vec::new(), "first\nsame".to_owned()),
            1 => Answer::With(503, vec![("x-node", "b".to_owned())], "second\nsame".to_owned()),
            _ => Answer::With(200, Vec::new(), "third\nsame".to_owned()),
        }).await;
        let sender = webhooks::start(&app.server).await.unwrap();
        add_endpoint(app, &key, json!({"target_url": receiver.url()})).await;
        let posted = post_event(app, &key, json!({"type": "a", "data": 1})).await;
        let id = posted["sendouts"][0].as_str().unwrap();
        let page = format!("/projects/{}/sendouts/{id}", project.id);
        until(app, &key, id, |sendout| sendout["attempts_count"] == 1).await;
        let alone = app.get_as(&cookie, &page).await.text().await.unwrap();
        assert!(!alone.contains("id=\"compare\""), "one attempt has nothing to be compared with");
        for attempts in 2..=3 {
            ask(app, &key, Method::POST, &format!("/v1/webhook-sendouts/{id}/retry"), Value::Null, 202).await;
            until(app, &key, id, |sendout| sendout["attempts_count"] == attempts).await;
        }
        sender.stop().await;

        let form = compared(app, &cookie, &page, "?status=SUCCEEDED&tz=utc").await;
        assert_eq!(chosen(&form), ["2", "3"], "the last two");
        assert!(form.contains("method=\"get\"") && form.contains(&format!("action=\"{page}/compare\"")) && form.contains("type=\"submit\""), "{form}");
        assert!(form.contains("name=\"status\"") && form.contains("name=\"tz\""), "the list's query is kept: {form}");

        // As the form sends it.
        let named = shown(app, &cookie, &page, "?status=SUCCEEDED&tz=utc&a=1&b=3").await;
        assert!(named.contains("Attempt 1: 500") && named.contains("Attempt 3: 200") && !named.contains("503"), "{named}");
        assert!(named.contains("<mark>first</mark>") && named.contains("<mark>third</mark>") && !named.contains("second<"), "{named}");
        assert!(named.contains(&format!("href=\"{page}?status=SUCCEEDED&amp;tz=utc\"")), "the way back keeps the list: {named}");
        let turned = shown(app, &cookie, &page, "?a=3&b=2").await;
        assert!(turned.contains("x-node") && turned.contains("<mark>third</mark>") && turned.contains("<mark>second</mark>"), "{turned}");
        assert!(shown(app, &cookie, &page, "").await.contains("Attempt 3: 200"), "the last two, where none are named");
        for wrong in ["?a=7", "?a=x", "?b=-1"] {
            let answer = app.get_as(&cookie, &format!("{page}/compare{wrong}")).await;
            assert_eq!(answer.status(), 400, "{wrong}");
        }

        accounts::set_rights(app.db(), project.key, Role::Auditor, false, true).await.unwrap();
        app.pass(REMEMBERED_MS);
        let bare = shown(app, &cookie, &page, "?a=1&b=3").await;
        assert!(bare.contains("read:bodies") && bare.contains("<mark>500</mark>") && !bare.contains("first<"), "{bare}");
    }
}
