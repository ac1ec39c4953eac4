//! What went wrong in the last month, so that there is something to find. Each story has its time before the newest log.

use serde_json::json;

use super::call::{Body, Call};
use super::calls;
use super::cast::{Customer, DASHBOARD, MOBILE, PARTNER, PEOPLE, SHOP, TILL};
use super::customers::{FILE_NAME, ROWS, file};
use super::dice::Dice;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The calls of every story within `[from, until)`.
pub(super) fn of_day(end: i64, from: i64, until: i64) -> Vec<Call> {
    let stories = [
        (end - 3 * HOUR, after_the_deploy as fn(i64) -> Vec<Call>),
        (end - 7 * HOUR, no_answer),
        (end - 20 * HOUR, expired_key),
        (end - 26 * HOUR, csv_import),
        (end - 3 * DAY - 5 * HOUR, campaign_launch),
        (end - 12 * DAY - 8 * HOUR, campaign_launch),
    ];
    let mut told: Vec<Call> = stories
        .into_iter()
        .filter(|(at, _)| (from..until).contains(at))
        .flat_map(|(at, story)| story(at))
        .collect();
    if (2..9).contains(&((end - until) / DAY)) {
        told.extend(integrators_mistake(from, until));
    }
    told
}

/// Half an hour after a deploy: answers slow down, then fail, until it is rolled back.
fn after_the_deploy(at: i64) -> Vec<Call> {
    let mut dice = Dice::new(1);
    (0..260)
        .map(|nth| {
            let moment = at + nth * 6 * SECOND + dice.range(0, 5 * SECOND);
            let caller = calls::any_caller(&mut dice);
            let (_, code) = calls::any_code(&mut dice);
            let mut call = calls::redemption(moment, &mut dice, caller, "/v1/redemptions".to_owned(), code)
                .with_response_header("x-release", if nth < 230 { "2026.11.3" } else { "2026.11.2" });
            if nth < 230 {
                call.duration_ms = 900.0 + nth as f64 * 31.0 + dice.range(0, 800) as f64;
            }
            match nth {
                60..230 if dice.percent(75) => failed(call),
                _ => call,
            }
        })
        .collect()
}

fn failed(call: Call) -> Call {
    let trace = "PoolTimeoutError: no connection to the ledger became free within 5000 ms\n    at Pool.acquire (ledger/pool.js:118)\n    at redeem (redemptions/service.js:64)";
    let body = json!({
        "code": 500, "key": "internal_error", "message": "Internal server error", "details": "Contact support with the request id", "request_id": call.request_id,
        "debug": { "release": "2026.11.3", "trace": trace }
    });
    call.answered(500, body)
}

/// Ten minutes in which a payment partner answered nobody.
fn no_answer(at: i64) -> Vec<Call> {
    let mut dice = Dice::new(2);
    (0..9)
        .map(|nth| {
            let moment = at + nth * 70 * SECOND;
            let (items, amount) = calls::items(&mut dice);
            let sent = json!({ "amount": amount, "items": items, "payment": { "cardNumber": "4111111111111111", "cvc": "123" } });
            let mut call = Call::new(moment, &mut dice, MOBILE, "POST", "/v1/orders/checkout")
                .sent(sent)
                .took(30_000.0 + dice_free(nth));
            call.code = None;
            call.response = Body::None;
            call
        })
        .collect()
}

fn dice_free(nth: i64) -> f64 {
    (nth * 7 % 13) as f64
}

/// The tills' key expired in the night; they went on asking, every five seconds, until somebody gave them a new one.
fn expired_key(at: i64) -> Vec<Call> {
    let mut dice = Dice::new(3);
    let mut told: Vec<Call> = (0..190)
        .map(|nth| {
            let (_, code) = calls::any_code(&mut dice);
            let moment = at + nth * 5 * SECOND + dice.range(0, SECOND);
            let target = format!("/v1/vouchers/{code}");
            Call::new(moment, &mut dice, TILL, "GET", target)
                .refused(
                    401,
                    "unauthorized",
                    "Unauthorized",
                    "The key app_1d93b6f0c5aa expired at midnight",
                )
                .with_response_header("www-authenticate", "Bearer error=\"invalid_token\"")
                .took(4.0 + (nth % 5) as f64)
        })
        .collect();
    let renewed = json!({ "app_id": TILL.app_id, "app_token": dice.hex(40), "expires_at": null });
    let new_key = Call::new(
        at + 190 * 5 * SECOND,
        &mut dice,
        DASHBOARD,
        "POST",
        format!("/v1/keys/{}/renew", TILL.app_id),
    )
    .answered(200, renewed);
    told.push(new_key.by(PEOPLE[3]).about("key", TILL.app_id));
    told
}

/// A list of customers was imported, and what became of it was asked for until it was done.
fn csv_import(at: i64) -> Vec<Call> {
    let mut dice = Dice::new(4);
    let task = format!("aa_{}", dice.hex(16));
    let refused = ROWS / 70;
    let file = file();
    let form = format!(
        "--acme\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{FILE_NAME}\"\r\nContent-Type: text/csv\r\n\r\n{file}\r\n--acme--\r\n"
    );
    let mut import = Call::new(at, &mut dice, DASHBOARD, "POST", "/v1/customers/importCSV")
        .answered(202, json!({ "async_action_id": task }))
        .by(PEOPLE[0])
        .took(184.0);
    import.request = Body::Text("multipart/form-data; boundary=acme", form);
    import.import_file = Some((FILE_NAME, file));
    import.async_action_id = Some(task.clone());
    let request_id = import.request_id.clone();
    let mut told = vec![import];
    for nth in 1..=6 {
        let done = nth == 6;
        let mut status = json!({ "id": task, "type": "CUSTOMERS.IMPORT_CSV", "status": if done { "DONE" } else { "IN_PROGRESS" }, "progress": (nth * 100 / 6), "request_id": request_id });
        if done {
            status["operation_status"] = "SUCCESS".into();
            status["result"] = json!({ "message": "Import done", "done_count": ROWS - refused, "failed_count": refused });
        }
        let mut asked = Call::new(
            at + nth * 3 * SECOND,
            &mut dice,
            DASHBOARD,
            "GET",
            format!("/v1/async-actions/{task}"),
        )
        .answered(200, status)
        .by(PEOPLE[0]);
        asked.async_action_id = Some(task.clone());
        asked.request_id.clone_from(&request_id);
        told.push(asked);
    }
    told
}

/// Twenty minutes after the letter went out: three times the traffic, and more than the limit lets through.
fn campaign_launch(at: i64) -> Vec<Call> {
    let mut dice = Dice::new(at.unsigned_abs() / DAY.unsigned_abs());
    (0..600)
        .map(|nth| {
            let moment = at + nth * 2 * SECOND + dice.range(0, 1_900);
            let customer = Customer::any(&mut dice);
            let code = dice.code("SPRING");
            let sent = json!({ "campaign": "camp_Spring26", "customer": { "source_id": customer.id(), "email": customer.email() }, "channel": "letter" });
            let call = Call::new(moment, &mut dice, SHOP, "POST", "/v1/publications").sent(sent).about("customer", customer.id());
            if (120..480).contains(&nth) && dice.percent(45) {
                let wait = dice.range(1, 20).to_string();
                return call
                    .refused(429, "too_many_requests", "Too many requests", "The limit of 2000 requests an hour is reached")
                    .with_response_header("retry-after", wait)
                    .with_response_header("x-rate-limit-remaining", "0")
                    .took(2.0);
            }
            call.answered(200, json!({ "id": format!("pub_{}", dice.hex(20)), "object": "publication", "voucher": { "code": code, "campaign": "camp_Spring26" } }))
        })
        .collect()
}

/// A partner's plugin sends amounts as text; it was mended two days ago.
fn integrators_mistake(from: i64, until: i64) -> Vec<Call> {
    let mut dice = Dice::new(from.unsigned_abs() / HOUR.unsigned_abs());
    (0..28)
        .map(|_| {
            let moment = dice.range(from, until - 1);
            let (items, amount) = calls::items(&mut dice);
            let amount = format!("{}.{:02}", amount / 100, amount % 100);
            let sent = json!({ "order": { "amount": amount, "items": items }, "customer": { "email": Customer::any(&mut dice).email() } });
            let mut call = Call::new(moment, &mut dice, PARTNER, "POST", "/v1/validations")
                .sent(sent)
                .refused(400, "invalid_payload", "Invalid payload", "order.amount must be an integer, in cents")
                .took(6.0);
            if let Body::Json(body) = &mut call.response {
                body["error"] = json!({ "message": "validation failed", "property_path": "order.amount", "expected": "integer", "received": "string" });
            }
            call
        })
        .collect()
}
