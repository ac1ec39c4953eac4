//! Who and what the traffic is about. All of them imaginary: addresses are of example.com, networks those of documentation (RFC 5737).

use serde_json::{Value, json};

use super::dice::Dice;

/// A caller: the application, its key, its channel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    pub(super) channel: &'static str,
    pub(super) user_agent: &'static str,
    pub(super) app_id: &'static str,
    pub(super) app_name: &'static str,
    /// Whether the key is one that browsers hold.
    pub(super) client: bool,
    pub(super) network: &'static str,
}

pub(super) const SHOP: Caller = Caller {
    channel: "Node.js-v20.20.2-SDK-v2.9.0",
    user_agent: "node",
    app_id: "app_5f0c9d1e7a42",
    app_name: "Web shop",
    client: false,
    network: "203.0.113",
};
pub(super) const MOBILE: Caller = Caller {
    channel: "API",
    user_agent: "okhttp/4.12.0",
    app_id: "app_77b0e2c4d918",
    app_name: "Mobile app backend",
    client: false,
    network: "203.0.113",
};
pub(super) const TILL: Caller = Caller {
    channel: "Java-17-SDK-v13.1.0",
    user_agent: "Acme-Till/6.2 (store 0412)",
    app_id: "app_1d93b6f0c5aa",
    app_name: "Tills",
    client: false,
    network: "198.51.100",
};
pub(super) const PARTNER: Caller = Caller {
    channel: "PHP-8.3.14-SDK-v5.0.2",
    user_agent: "PetitMarche-Plugin/1.4.0 GuzzleHttp/7",
    app_id: "app_e8207c3b51fd",
    app_name: "Petit Marché plugin",
    client: false,
    network: "192.0.2",
};
pub(super) const JOBS: Caller = Caller {
    channel: "API",
    user_agent: "python-requests/2.32.3",
    app_id: "app_b4416f8ed027",
    app_name: "Nightly jobs",
    client: false,
    network: "203.0.113",
};
pub(super) const WIDGET: Caller = Caller {
    channel: "API",
    user_agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
    app_id: "client_3ac5d7719e",
    app_name: "Storefront widget",
    client: true,
    network: "198.51.100",
};
pub(super) const DASHBOARD: Caller = Caller {
    channel: "WEBSITE",
    user_agent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    app_id: "",
    app_name: "",
    client: false,
    network: "192.0.2",
};
pub(super) const RELAY: Caller = Caller {
    channel: "Webhook-relay-v1.3.0",
    user_agent: "GitHub-Hookshot/044aadd",
    app_id: "app_0a9e4dd2f6b3",
    app_name: "Webhook relay",
    client: false,
    network: "192.0.2",
};

/// The people of the dashboard: their e-mail addresses and ids.
pub(super) const PEOPLE: [(&str, &str); 6] = [
    ("amira.haddad@example.com", "usr_amira"),
    ("jonas.weber@example.com", "usr_jonas"),
    ("lucia.ferri@example.com", "usr_lucia"),
    ("tom.okafor@example.com", "usr_tom"),
    ("wei.chen@example.com", "usr_wei"),
    ("zofia.nowak@example.com", "usr_zofia"),
];

pub(super) const FIRST_NAMES: [&str; 16] = [
    "Ada", "Bruno", "Chiara", "Dmitri", "Elif", "Farid", "Grace", "Hugo", "Ines", "Jun", "Kofi", "Lena", "Marek", "Noor", "Olga",
    "Pia",
];
pub(super) const LAST_NAMES: [&str; 16] = [
    "Abara",
    "Bianchi",
    "Costa",
    "Dubois",
    "Eriksen",
    "Fischer",
    "García",
    "Horvat",
    "Ito",
    "Jansen",
    "Kowalska",
    "Lindqvist",
    "Moreau",
    "Nguyen",
    "Öztürk",
    "Pereira",
];
pub(super) const CITIES: [&str; 8] = ["Berlin", "Lisbon", "Lyon", "Kraków", "Milan", "Oslo", "Utrecht", "Zürich"];

/// Customers who come back.
const CUSTOMERS: i64 = 900;

/// Products: name, price in cents.
pub(super) const PRODUCTS: [(&str, i64); 12] = [
    ("Espresso beans, 1 kg", 2_190),
    ("Filter coffee, 500 g", 1_290),
    ("Oat drink, 6 × 1 l", 1_140),
    ("Ceramic cup", 1_450),
    ("Pour-over set", 4_990),
    ("Hand grinder", 8_900),
    ("Cold brew bottle", 2_750),
    ("Gift card 25 €", 2_500),
    ("Barista course", 12_000),
    ("Milk jug, 350 ml", 1_990),
    ("Descaler", 990),
    ("Travel mug", 2_490),
];

/// Campaigns whose codes are about.
pub(super) const CAMPAIGNS: [(&str, &str); 5] = [
    ("camp_Spring26", "SPRING"),
    ("camp_Welcome", "HELLO"),
    ("camp_Birthday", "BDAY"),
    ("camp_Referral", "FRIEND"),
    ("camp_Loyalty", "LOYAL"),
];

/// The project's own route templates.
pub(super) fn templates() -> Vec<String> {
    [
        "/v1/vouchers/{code}",
        "/v1/vouchers/{code}/redemption",
        "/v1/vouchers/{code}/qr",
        "/v1/loyalties/{campaign}/members/{code}",
        "/v1/loyalties/{campaign}/members/{code}/balance",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// A customer who comes back.
#[derive(Clone, Debug)]
pub(super) struct Customer {
    number: i64,
}

impl Customer {
    /// One of them, some far more often than others.
    pub(super) fn any(dice: &mut Dice) -> Self {
        Self {
            number: dice.pick_popular(CUSTOMERS),
        }
    }

    /// The same person has the same name each time.
    pub(super) const fn of_number(number: i64) -> Self {
        Self { number }
    }

    fn first(&self) -> &'static str {
        FIRST_NAMES[(self.number as usize * 7) % FIRST_NAMES.len()]
    }

    fn last(&self) -> &'static str {
        LAST_NAMES[(self.number as usize / 16 + self.number as usize * 5) % LAST_NAMES.len()]
    }

    pub(super) fn id(&self) -> String {
        format!("cust_{:010x}", self.number.wrapping_mul(0x9E37_79B9) & 0xFF_FFFF_FFFF)
    }

    pub(super) fn name(&self) -> String {
        format!("{} {}", self.first(), self.last())
    }

    pub(super) fn email(&self) -> String {
        format!("{}.{}@example.com", self.first().to_lowercase(), self.number)
    }

    pub(super) fn city(&self) -> &'static str {
        CITIES[self.number as usize % CITIES.len()]
    }

    fn tier(&self) -> &'static str {
        ["blue", "silver", "gold"][self.number as usize % 3]
    }

    /// As the API shows them.
    pub(super) fn json(&self) -> Value {
        json!({
            "id": self.id(), "object": "customer", "source_id": format!("shop-{}", self.number), "name": self.name(), "email": self.email(),
            "address": { "city": self.city(), "country": "EU", "postal_code": format!("{:05}", 10_000 + self.number * 37 % 89_999) },
            "summary": {
                "redemptions": { "total_redeemed": self.number % 9, "total_failed": self.number % 3 },
                "orders": { "total_count": self.number % 23, "total_amount": self.number * 431 % 90_000, "average_amount": 2_340 }
            },
            "loyalty": { "points": self.number * 13 % 2_000, "referred_customers": self.number % 2 },
            "metadata": { "tier": self.tier(), "newsletter": self.number % 2 == 0 }
        })
    }
}
