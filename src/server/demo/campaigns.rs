//! What the people of the dashboard do, and the large answers: catalogues and downloads.

use serde_json::{Value, json};

use super::call::{Body, Call};
use super::cast::{CAMPAIGNS, DASHBOARD, JOBS, PEOPLE, PRODUCTS};
use super::dice::Dice;

/// What stands in a catalogue for every product; it is what makes a catalogue large.
const ABOUT: &str = "Roasted in small batches and packed on the same day. Keeps for twelve months, unopened, cool and dry. Free of what is not coffee: \
no flavouring, no sugar. We pay the growers before the harvest and publish what we pay. Returns within thirty days, opened or not.";

/// The campaigns, as every application asks for them at its start.
pub(super) fn list(at: i64, dice: &mut Dice) -> Call {
    let caller = super::calls::any_caller(dice);
    let campaigns: Vec<Value> = CAMPAIGNS
        .iter()
        .map(|(id, prefix)| json!({ "id": id, "name": prefix, "campaign_type": "DISCOUNT_COUPONS", "active": true, "vouchers_count": dice.range(500, 90_000) }))
        .collect();
    Call::new(at, dice, caller, "GET", "/v1/campaigns?limit=100").answered(
        200,
        json!({ "object": "list", "data_ref": "campaigns", "campaigns": campaigns, "total": campaigns.len() }),
    )
}

/// A page of the catalogue, or now and then the whole of it: up to 200 KB.
pub(super) fn products(at: i64, dice: &mut Dice) -> Call {
    let count = if dice.percent(15) {
        dice.range(150, 290)
    } else {
        dice.range(5, 25)
    };
    let products: Vec<Value> = (0..count)
        .map(|nth| {
            let (name, price) = PRODUCTS[nth as usize % PRODUCTS.len()];
            json!({
                "id": format!("prod_{}", dice.hex(16)), "object": "product", "source_id": format!("sku-{nth:05}"), "name": name, "price": price, "description": ABOUT,
                "attributes": ["colour", "size"], "image_url": format!("https://img.acme-loyalty.example/{}.jpg", dice.hex(10)), "metadata": { "shelf": nth % 14, "organic": nth % 2 == 0 }
            })
        })
        .collect();
    let duration = dice.duration(310.0);
    Call::new(at, dice, JOBS, "GET", format!("/v1/products?limit={count}&expand=skus"))
        .answered(
            200,
            json!({ "object": "list", "data_ref": "products", "products": products, "total": count }),
        )
        .took(duration)
}

/// Somebody at work in the dashboard.
pub(super) fn dashboard(at: i64, dice: &mut Dice) -> Call {
    let person = *dice.pick(&PEOPLE);
    let (campaign, prefix) = *dice.pick(&CAMPAIGNS);
    let call = match dice.range(0, 5) {
        0 => return sign_in(at, dice, person),
        1 => return download(at, dice, person),
        2 => Call::new(at, dice, DASHBOARD, "PUT", format!("/v1/campaigns/{campaign}"))
            .sent(json!({ "description": format!("{prefix} for members"), "active": dice.percent(90), "expiration_date": "2026-12-31T23:59:59Z" }))
            .answered(200, json!({ "id": campaign, "object": "campaign", "updated": true })),
        3 => Call::new(at, dice, DASHBOARD, "POST", "/v1/exports")
            .sent(json!({ "exported_object": "voucher", "parameters": { "fields": ["code", "campaign", "redeemed_quantity"], "filters": { "campaign": { "conditions": { "$is": [campaign] } } } } }))
            .answered(200, json!({ "id": format!("exp_{}", dice.hex(24)), "object": "export", "status": "SCHEDULED" })),
        4 => {
            let mut call = Call::new(at, dice, DASHBOARD, "DELETE", format!("/v1/vouchers/{}", dice_code(prefix, at)));
            call.code = Some(204);
            call
        }
        _ => Call::new(at, dice, DASHBOARD, "GET", format!("/v1/campaigns/{campaign}/summary?period=30d"))
            .answered(200, json!({ "campaign_id": campaign, "redemptions": dice.range(100, 9_000), "revenue": dice.range(10_000, 900_000) })),
    };
    call.by(person).about("campaign", campaign)
}

fn dice_code(prefix: &str, at: i64) -> String {
    Dice::new(at.unsigned_abs()).code(prefix)
}

fn sign_in(at: i64, dice: &mut Dice, person: (&'static str, &'static str)) -> Call {
    let sent = json!({ "email": person.0, "password": format!("{}-{}", dice.hex(4), dice.hex(6)), "otp": format!("{:06}", dice.range(0, 999_999)) });
    let call = Call::new(at, dice, DASHBOARD, "POST", "/v1/sign-in").sent(sent).by(person);
    if dice.percent(15) {
        return call.refused(401, "unauthorized", "Unauthorized", "The password or the code is wrong");
    }
    let session = dice.hex(32);
    call.answered(
        200,
        json!({ "user": { "id": person.1, "email": person.0 }, "refresh_token": dice.hex(48) }),
    )
    .with_response_header(
        "set-cookie",
        format!("session={session}; Path=/; HttpOnly; Secure; SameSite=Lax"),
    )
}

/// A CSV file as an answer.
fn download(at: i64, dice: &mut Dice, person: (&'static str, &'static str)) -> Call {
    let mut csv = "code,campaign,redeemed_quantity\r\n".to_owned();
    for _ in 0..dice.range(40, 160) {
        let (campaign, code) = super::calls::any_code(dice);
        let redeemed = dice.range(0, 1).to_string();
        csv.push_str(&[code.as_str(), campaign, &redeemed].join(","));
        csv.push_str("\r\n");
    }
    let (export, token) = (dice.hex(24), dice.hex(32));
    let mut call = Call::new(at, dice, DASHBOARD, "GET", format!("/v1/exports/exp_{export}?token={token}")).by(person);
    call.response = Body::Text("text/csv", csv);
    call.about("export", format!("exp_{export}"))
}
