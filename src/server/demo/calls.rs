//! An ordinary day: customers, orders, vouchers checked and redeemed, and now and then a request that is refused.

use serde_json::{Value, json};

use super::call::{Body, Call};
use super::campaigns;
use super::cast::{self, Caller, Customer, MOBILE, PARTNER, PRODUCTS, RELAY, SHOP, TILL, WIDGET};
use super::dice::Dice;
use super::rhythm;

/// Makes one request at a time.
type Kind = fn(i64, &mut Dice) -> Call;

/// What is asked, and how often.
const ORDINARY: &[(i64, Kind)] = &[
    (18, validate),
    (13, redeem),
    (12, customer),
    (10, voucher),
    (8, event),
    (7, qualify),
    (6, customers),
    (5, member),
    (5, new_customer),
    (4, order),
    (4, till_redemption),
    (3, add_points),
    (3, sign_in_of_application),
    (2, relayed_webhook),
    (2, campaigns::list),
    (2, campaigns::dashboard),
    (1, campaigns::products),
    (1, qr),
];

/// Webhook payloads; `payloads.md` says where they are from.
const PAYLOADS: &str = include_str!("payloads.ndjson");
/// A picture of one pixel, PNG, in base64.
const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==";

/// A day's ordinary requests.
pub(super) fn ordinary(from: i64, until: i64, day: i64) -> Vec<Call> {
    let mut dice = Dice::new(0xACE0_0000 + day.unsigned_abs());
    let mut moments = rhythm::moments(from, until, &mut dice);
    if day == 0 {
        moments.push(until);
    }
    moments.into_iter().map(|at| dice.weighted(ORDINARY)(at, &mut dice)).collect()
}

/// Whoever serves customers.
pub(super) fn any_caller(dice: &mut Dice) -> Caller {
    *dice.weighted(&[(44, SHOP), (30, MOBILE), (14, TILL), (8, PARTNER), (6, WIDGET)])
}

/// A campaign's id, and a code of it.
pub(super) fn any_code(dice: &mut Dice) -> (&'static str, String) {
    let (campaign, prefix) = *dice.pick(&cast::CAMPAIGNS);
    (campaign, dice.code(prefix))
}

/// What is in a basket.
pub(super) fn items(dice: &mut Dice) -> (Vec<Value>, i64) {
    let mut total = 0;
    let items = (0..dice.range(1, 5)).map(|_| {
        let (name, price) = *dice.pick(&PRODUCTS);
        let quantity = dice.range(1, 3);
        total += price * quantity;
        json!({ "product_id": format!("prod_{}", dice.hex(8)), "quantity": quantity, "price": price, "amount": price * quantity, "product": { "name": name } })
    });
    (items.collect(), total)
}

fn validate(at: i64, dice: &mut Dice) -> Call {
    let (campaign, code) = any_code(dice);
    let (items, amount) = items(dice);
    let buyer = Customer::any(dice);
    let caller = any_caller(dice);
    let sent = json!({
        "redeemables": [{ "object": "voucher", "id": code }], "customer": { "source_id": buyer.id(), "email": buyer.email() },
        "order": { "amount": amount, "items": items }, "session": { "type": "LOCK", "key": format!("ssn_{}", dice.hex(12)), "ttl": 30, "ttl_unit": "MINUTES" }
    });
    let call = Call::new(at, dice, caller, "POST", "/v1/validations")
        .sent(sent)
        .about("voucher", code.clone());
    if dice.percent(6) {
        let reason = json!({ "key": "order_rules_violated", "message": "the order does not match the validation rules" });
        let body = json!({ "valid": false, "redeemables": [], "inapplicable_redeemables": [{ "status": "INAPPLICABLE", "id": code, "result": { "error": reason } }] });
        return call.answered(200, body);
    }
    let discount = amount / 10;
    let body = json!({
        "valid": true, "tracking_id": format!("track_{}", dice.hex(16)),
        "redeemables": [{ "status": "APPLICABLE", "id": code, "campaign_id": campaign, "order": { "amount": amount, "total_discount_amount": discount, "total_amount": amount - discount } }],
        "order": { "amount": amount, "total_amount": amount - discount, "customer": { "id": buyer.id() } }
    });
    call.answered(200, body)
}

fn redeem(at: i64, dice: &mut Dice) -> Call {
    let (_, code) = any_code(dice);
    let caller = any_caller(dice);
    redemption(at, dice, caller, "/v1/redemptions".to_owned(), code)
}

fn till_redemption(at: i64, dice: &mut Dice) -> Call {
    let (_, code) = any_code(dice);
    redemption(at, dice, TILL, format!("/v1/vouchers/{code}/redemption"), code)
}

/// A voucher is redeemed, or cannot be.
pub(super) fn redemption(at: i64, dice: &mut Dice, caller: Caller, target: String, code: String) -> Call {
    let (items, amount) = items(dice);
    let buyer = Customer::any(dice);
    let sent = json!({
        "redeemables": [{ "object": "voucher", "id": code }], "customer": { "id": buyer.id() },
        "order": { "source_id": format!("order-{}", dice.range(100_000, 999_999)), "amount": amount, "items": items, "status": "PAID" },
        "metadata": { "store": dice.range(400, 440), "cashier_pin": format!("{:04}", dice.range(0, 9_999)) }
    });
    let call = Call::new(at, dice, caller, "POST", target)
        .sent(sent)
        .about("voucher", code.clone());
    match dice.range(0, 99) {
        0..=2 => call.refused(
            404,
            "voucher_not_found",
            "Resource not found",
            &format!("Cannot find voucher with id {code}"),
        ),
        3..=5 => call.refused(400, "quantity_exceeded", "quantity exceeded", &code),
        _ => {
            let body = json!({
                "id": format!("r_{}", dice.hex(20)), "object": "redemption", "result": "SUCCESS", "status": "SUCCEEDED", "customer_id": buyer.id(), "amount": amount / 10,
                "voucher": { "code": code, "type": "DISCOUNT_VOUCHER", "discount": { "type": "PERCENT", "percent_off": 10 } }, "order": { "amount": amount, "total_amount": amount - amount / 10 }
            });
            let duration = dice.duration(72.0);
            call.answered(200, body).took(duration)
        }
    }
}

fn customer(at: i64, dice: &mut Dice) -> Call {
    let customer = Customer::any(dice);
    let caller = any_caller(dice);
    let call = Call::new(at, dice, caller, "GET", format!("/v1/customers/{}", customer.id())).about("customer", customer.id());
    if dice.percent(4) {
        return call.refused(
            404,
            "not_found",
            "Resource not found",
            &format!("Cannot find customer with id {}", customer.id()),
        );
    }
    call.answered(200, customer.json())
}

fn customers(at: i64, dice: &mut Dice) -> Call {
    let limit = *dice.weighted(&[(6, 5), (5, 10), (1, 100)]);
    let page = dice.range(1, 8);
    let data: Vec<Value> = (0..limit).map(|nth| Customer::of_number(page * 100 + nth).json()).collect();
    let caller = any_caller(dice);
    let duration = dice.duration(64.0);
    Call::new(
        at,
        dice,
        caller,
        "GET",
        format!("/v1/customers?limit={limit}&page={page}&order=-created_at"),
    )
    .answered(
        200,
        json!({ "object": "list", "data_ref": "customers", "customers": data, "total": 900 }),
    )
    .took(duration)
}

fn new_customer(at: i64, dice: &mut Dice) -> Call {
    let customer = Customer::any(dice);
    let caller = any_caller(dice);
    let card = *dice.pick(&["4111 1111 1111 1111", "5555 5555 5555 4444"]);
    let sent = json!({
        "source_id": customer.id(), "name": customer.name(), "email": customer.email(), "password": format!("{}!{}", customer.city(), dice.hex(6)),
        "address": { "city": customer.city() }, "payment": { "card": { "number": card, "expires": "11/29" } }, "consents": { "newsletter": dice.percent(40) }
    });
    let call = Call::new(at, dice, caller, "POST", "/v1/customers")
        .sent(sent)
        .about("customer", customer.id());
    if dice.percent(5) {
        return call.refused(
            409,
            "duplicate_found",
            "Duplicate resource",
            "A customer with this source_id exists already",
        );
    }
    call.answered(200, customer.json())
}

fn voucher(at: i64, dice: &mut Dice) -> Call {
    let (campaign, code) = any_code(dice);
    let caller = any_caller(dice);
    let call = Call::new(at, dice, caller, "GET", format!("/v1/vouchers/{code}")).about("voucher", code.clone());
    if dice.percent(9) {
        return call.refused(
            404,
            "not_found",
            "Resource not found",
            &format!("Cannot find voucher with id {code}"),
        );
    }
    let body = json!({
        "id": format!("v_{}", dice.hex(20)), "code": code, "campaign_id": campaign, "type": "DISCOUNT_VOUCHER", "active": true,
        "discount": { "type": "PERCENT", "percent_off": 10 }, "redemption": { "quantity": 1, "redeemed_quantity": dice.range(0, 1) }, "metadata": {}
    });
    call.answered(200, body)
}

fn event(at: i64, dice: &mut Dice) -> Call {
    let customer = Customer::any(dice);
    let name = *dice.pick(&["page_viewed", "cart_abandoned", "review_written", "app_opened"]);
    let sent = json!({ "event": name, "customer": { "source_id": customer.id() }, "metadata": { "path": "/coffee", "device_token": dice.hex(24) } });
    Call::new(at, dice, WIDGET, "POST", "/v1/events?async=true")
        .sent(sent)
        .answered(202, json!({ "object": "event", "type": name }))
        .about("customer", customer.id())
}

fn qualify(at: i64, dice: &mut Dice) -> Call {
    let customer = Customer::any(dice);
    let (items, amount) = items(dice);
    let caller = any_caller(dice);
    let vouchers: Vec<Value> = (0..dice.range(0, 6))
        .map(|_| {
            let (campaign, code) = any_code(dice);
            json!({ "id": code, "object": "voucher", "campaign_id": campaign, "result": { "discount": { "type": "AMOUNT", "amount_off": dice.range(1, 9) * 100 } } })
        })
        .collect();
    let sent = json!({ "customer": { "source_id": customer.id() }, "order": { "amount": amount, "items": items }, "scenario": "ALL", "options": { "limit": 5 } });
    let answer = json!({ "redeemables": { "object": "list", "data": vouchers, "total": vouchers.len(), "has_more": false } });
    let duration = dice.duration(120.0);
    Call::new(at, dice, caller, "POST", "/v1/qualifications")
        .sent(sent)
        .answered(200, answer)
        .took(duration)
}

fn member(at: i64, dice: &mut Dice) -> Call {
    let code = dice.code("LOYAL");
    let caller = any_caller(dice);
    let answer = json!({ "code": code, "type": "LOYALTY_CARD", "loyalty_card": { "points": dice.range(0, 4_000), "balance": dice.range(0, 900) }, "tier": "silver" });
    Call::new(at, dice, caller, "GET", format!("/v1/loyalties/camp_Loyalty/members/{code}"))
        .answered(200, answer)
        .about("member", code)
}

fn add_points(at: i64, dice: &mut Dice) -> Call {
    let code = dice.code("LOYAL");
    let points = dice.range(1, 40) * 5;
    let target = format!("/v1/loyalties/camp_Loyalty/members/{code}/balance");
    let answer = json!({ "points": points, "total": points + dice.range(0, 900), "type": "loyalty_card" });
    let call = Call::new(at, dice, MOBILE, "POST", target)
        .sent(json!({ "points": points, "reason": "purchase" }))
        .about("member", code);
    if dice.percent(4) {
        return call.refused(
            400,
            "invalid_payload",
            "Invalid payload",
            "points must not bring the balance below zero",
        );
    }
    call.answered(200, answer)
}

fn order(at: i64, dice: &mut Dice) -> Call {
    let (items, amount) = items(dice);
    let customer = Customer::any(dice);
    let id = format!("ord_{}", dice.hex(16));
    let sent = json!({ "source_id": format!("order-{}", dice.range(100_000, 999_999)), "amount": amount, "items": items, "customer": { "source_id": customer.id() }, "status": "CREATED" });
    let answer = json!({ "id": id, "object": "order", "status": "CREATED", "amount": amount, "items_count": items.len(), "customer_id": customer.id() });
    Call::new(at, dice, SHOP, "POST", "/v1/orders")
        .sent(sent)
        .answered(200, answer)
        .about("order", id)
}

fn sign_in_of_application(at: i64, dice: &mut Dice) -> Call {
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}&scope=redemptions",
        MOBILE.app_id,
        dice.hex(40)
    );
    let answer = json!({ "access_token": format!("eyJhbGciOiJIUzI1NiJ9.{}.{}", dice.hex(60), dice.hex(43)), "token_type": "Bearer", "expires_in": 3_600, "scope": "redemptions" });
    let mut call = Call::new(at, dice, MOBILE, "POST", "/oauth/token").answered(200, answer);
    call.request = Body::Text("application/x-www-form-urlencoded", form);
    call
}

fn relayed_webhook(at: i64, dice: &mut Dice) -> Call {
    let lines: Vec<&str> = PAYLOADS.lines().collect();
    let line: &str = dice.pick::<&str>(&lines);
    let payload: Value = serde_json::from_str(line).unwrap_or_default();
    let event = payload["type"]
        .as_str()
        .unwrap_or_default()
        .split('.')
        .next()
        .unwrap_or_default()
        .to_owned();
    let delivery = dice.hex(32);
    Call::new(at, dice, RELAY, "POST", "/v1/hooks/github?secret=relay-2026")
        .sent(payload["data"].clone())
        .answered(202, json!({ "queued": true }))
        .with_request_header("x-github-event", event)
        .with_request_header("x-github-delivery", delivery.clone())
        .about("delivery", delivery)
}

fn qr(at: i64, dice: &mut Dice) -> Call {
    let (_, code) = any_code(dice);
    let mut call = Call::new(at, dice, SHOP, "GET", format!("/v1/vouchers/{code}/qr?size=1")).about("voucher", code);
    call.response = Body::Binary("image/png", PIXEL);
    call
}
