//! Who did it, and from where: what of that a project masks in the logs of its applications. This service's own logs keep all of it: an audit log that
//! forgot who changed what would be none.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{MASK, MaskRules};
use crate::model::masking::{IP_NETWORK, IP_WHOLE, USER_EMAIL, USER_ID};

/// Headers by which proxies hand on the address of a client, or of several, with commas between.
const ADDRESSES: [&str; 15] = [
    "x-forwarded-for",
    "x-original-forwarded-for",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-envoy-external-address",
    "x-azure-clientip",
    "x-appengine-user-ip",
    "true-client-ip",
    "client-ip",
    "cf-connecting-ip",
    "cf-connecting-ipv6",
    "cf-pseudo-ipv4",
    "fastly-client-ip",
    "fly-client-ip",
];
/// One that has more beside it (RFC 7239): it goes whole.
const FORWARDED: &str = "forwarded";

/// What of people is masked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct People {
    email: bool,
    id: bool,
    ip: Option<Address>,
}

/// How much of an address goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Address {
    /// All but the network: /24 of IPv4, /48 of IPv6.
    Host,
    /// All of it.
    Whole,
}

impl People {
    /// By the texts of a project's rules.
    pub(super) fn of<'a>(users: impl Iterator<Item = &'a str>, addresses: impl Iterator<Item = &'a str>) -> Self {
        let mut people = Self::default();
        for text in users {
            people.email |= text == USER_EMAIL;
            people.id |= text == USER_ID;
        }
        for text in addresses {
            match text {
                IP_WHOLE => people.ip = Some(Address::Whole),
                IP_NETWORK => people.ip = people.ip.or(Some(Address::Host)),
                _ => {}
            }
        }
        people
    }
}

impl MaskRules {
    /// The e-mail address of whoever did it, masked; none where there is nothing to mask.
    pub fn user_email(&self, email: &str) -> Option<String> {
        whole(self.people.email, email)
    }

    /// The id of whoever did it, masked; none where there is nothing to mask.
    pub fn user_id(&self, id: &str) -> Option<String> {
        whole(self.people.id, id)
    }

    /// A client's address, masked; none where there is nothing to mask.
    pub fn ip(&self, address: &str) -> Option<String> {
        match self.people.ip? {
            Address::Whole => whole(true, address),
            Address::Host => Some(network(address)).filter(|masked| masked != address),
        }
    }

    /// The value of a header that says the client's address, masked; none where there is nothing to mask.
    pub fn client_header(&self, name: &str, value: &str) -> Option<String> {
        let kind = self.people.ip?;
        if name.eq_ignore_ascii_case(FORWARDED) {
            return whole(true, value);
        }
        if !ADDRESSES.iter().any(|known| name.eq_ignore_ascii_case(known)) {
            return None;
        }
        let masked = match kind {
            Address::Whole => return whole(true, value),
            Address::Host => value.split(',').map(|one| network(one.trim())).collect::<Vec<_>>().join(", "),
        };
        (masked != value).then_some(masked)
    }

    /// Masks the headers that say the client's address, in place; says whether anything was masked.
    pub fn client_headers(&self, headers: &mut [(Cow<'_, str>, Cow<'_, str>)]) -> bool {
        let mut any = false;
        for (name, value) in headers {
            if let Some(masked) = self.client_header(name, value) {
                *value = Cow::Owned(masked);
                any = true;
            }
        }
        any
    }
}

fn whole(is: bool, value: &str) -> Option<String> {
    (is && !value.is_empty() && value != MASK).then(|| MASK.to_owned())
}

/// The network of an address, written as its first address: what finds addresses finds it, too. What is no address goes whole.
fn network(text: &str) -> String {
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']');
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let address = text
        .parse::<IpAddr>()
        .ok()
        .or_else(with_port)
        .or_else(|| bracketed()?.parse().ok());
    match address.map(|address| address.to_canonical()) {
        None if text.is_empty() => String::new(),
        None => MASK.to_owned(),
        Some(IpAddr::V4(address)) => Ipv4Addr::from_bits(address.to_bits() & !0xff).to_string(),
        Some(IpAddr::V6(address)) => Ipv6Addr::from_bits(address.to_bits() & (!0 << 80)).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::masking::{MaskRule, RuleKind};

    fn rules(texts: &[(RuleKind, &str)]) -> MaskRules {
        let rule = |(kind, text): &(RuleKind, &str)| MaskRule {
            kind: *kind,
            text: (*text).to_owned(),
            note: String::new(),
        };
        MaskRules::of_project(&[], &texts.iter().map(rule).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn users_are_masked_as_far_as_a_rule_says() {
        let none = MaskRules::default();
        assert_eq!(
            (none.user_email("a@b.de"), none.user_id("u_1"), none.ip("203.0.113.7")),
            (None, None, None)
        );
        let email = rules(&[(RuleKind::User, "email")]);
        assert_eq!(
            (email.user_email("a@b.de").as_deref(), email.user_id("u_1")),
            (Some(MASK), None)
        );
        let id = rules(&[(RuleKind::User, "id")]);
        assert_eq!((id.user_email("a@b.de"), id.user_id("u_1").as_deref()), (None, Some(MASK)));
        assert_eq!(id.user_id(MASK), None, "twice is once");
    }

    #[test]
    fn of_an_address_the_network_is_left() {
        let rules = rules(&[(RuleKind::Ip, "network")]);
        for (address, masked) in [
            ("203.0.113.7", Some("203.0.113.0")),
            ("203.0.113.0", None),
            ("203.0.113.7:4711", Some("203.0.113.0")),
            ("2001:db8:1:2:3:4:5:6", Some("2001:db8:1::")),
            ("2001:db8:1::", None),
            ("[2001:db8:1::7]", Some("2001:db8:1::")),
            ("[2001:db8:1::7]:80", Some("2001:db8:1::")),
            ("::ffff:203.0.113.7", Some("203.0.113.0")),
            ("fe80::1%eth0", Some(MASK)),
            ("unknown", Some(MASK)),
            (MASK, None),
            ("", None),
        ] {
            assert_eq!(rules.ip(address).as_deref(), masked, "{address}");
        }
        let whole = super::tests::rules(&[(RuleKind::Ip, "whole")]);
        assert_eq!(whole.ip("203.0.113.7").as_deref(), Some(MASK));
        assert_eq!(whole.ip(MASK), None);
    }

    #[test]
    fn headers_that_hand_an_address_on_are_masked_alike() {
        let (network, whole) = (rules(&[(RuleKind::Ip, "network")]), rules(&[(RuleKind::Ip, "whole")]));
        for (name, value, cut) in [
            (
                "X-Forwarded-For",
                "203.0.113.7, 2001:db8:1:2::1,unknown",
                "203.0.113.0, 2001:db8:1::, masked",
            ),
            ("x-real-ip", "203.0.113.7", "203.0.113.0"),
            ("Forwarded", "for=203.0.113.7;proto=https", MASK),
        ] {
            assert_eq!(network.client_header(name, value).as_deref(), Some(cut), "{name}");
            assert_eq!(network.client_header(name, cut), None, "{name}: twice is once");
            assert_eq!(whole.client_header(name, value).as_deref(), Some(MASK), "{name}");
        }
        assert_eq!(network.client_header("x-forwarded-host", "a.example"), None);
        assert_eq!(
            rules(&[(RuleKind::User, "id")]).client_header("x-real-ip", "203.0.113.7"),
            None
        );
    }

    proptest! {
        #[test]
        fn an_address_loses_its_host_whatever_it_is(bits: u128, is_v4: bool) {
            let rules = rules(&[(RuleKind::Ip, "network")]);
            let address = if is_v4 { IpAddr::from(Ipv4Addr::from_bits(bits as u32)) } else { IpAddr::from(Ipv6Addr::from_bits(bits)) };
            let text = address.to_string();
            let once = rules.ip(&text).unwrap_or_else(|| text.clone());
            prop_assert_eq!(rules.ip(&once), None, "twice is once");
            match once.parse::<IpAddr>().unwrap() {
                IpAddr::V4(left) => prop_assert_eq!(left.octets()[3], 0),
                IpAddr::V6(left) => prop_assert!(left.octets()[6..].iter().all(|byte| *byte == 0)),
            }
        }

        #[test]
        fn whatever_stands_there_is_masked_once(text in "\\PC{0,40}") {
            let rules = rules(&[(RuleKind::Ip, "network")]);
            for name in ["x-forwarded-for", "forwarded"] {
                let once = rules.client_header(name, &text).unwrap_or_else(|| text.clone());
                prop_assert_eq!(rules.client_header(name, &once), None);
            }
        }
    }
}
