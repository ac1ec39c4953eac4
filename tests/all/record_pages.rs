//! The pages of single records where there is no record, and where their address makes no sense.

use audit_log::model::rights::Role;

/// A page's address behind the project's, what it is a page of, and its title while nothing names the record.
const PAGES: [(&str, &str, &str, &str); 4] = [
    ("tasks", "/aa_1", "task", "Task"),
    ("exports", "/exp_1", "export", "Export"),
    ("exports", "/exp_1/browse", "export", "Browse data"),
    ("sendouts", "/so_1", "sendout", "Sendout"),
];

for_each_db! {
    async fn a_record_that_is_not_there_leads_back_to_its_list(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Auditor).await;
        for (list, rest, one, _) in PAGES {
            let list = format!("/projects/{}/{list}", project.id);
            let answer = app.get_as(&cookie, &format!("{list}{rest}?id=x_1&a=1&b=2&tz=utc")).await;
            let text = answer.text().await.unwrap().replace("<!>", "");
            assert!(text.contains(&format!("<h1>There is no such {one}</h1>")), "{rest}: {text}");
            assert!(text.contains(&format!("<title>No such {one} · audit-log</title>")), "{rest}: {text}");
            assert!(text.contains(&format!("href=\"{list}?id=x_1&amp;tz=utc\"")), "the filters are kept, and nothing that is the page's own: {text}");
        }
    }

    async fn an_address_of_a_record_that_makes_no_sense_says_why(app: TestApp) {
        let (project, cookie) = app.signed_in(Role::Auditor).await;
        for (list, rest, _, title) in PAGES {
            let answer = app.get_as(&cookie, &format!("/projects/{}/{list}{rest}?limit=1000", project.id)).await;
            let text = answer.text().await.unwrap().replace("<!>", "");
            assert!(text.contains("The address makes no sense") && text.contains("a number from 1 to 100"), "{rest}: {text}");
            assert!(text.contains(&format!("<title>{title} · audit-log</title>")), "{rest}: {text}");
        }
    }
}
