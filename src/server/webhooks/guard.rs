//! Which addresses nothing is sent to: whoever can name an endpoint must not reach through this service what only its own machine or network can.
//!
//! The ranges are IANA's special-purpose registries for IPv4 and IPv6. An IPv6 address that carries an IPv4 one is judged by what it carries.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Why an address is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("webhooks are not sent to {address}: it is {what}. Whoever runs this service can open ranges with --webhook-allow")]
pub(super) struct Refused {
    /// Which.
    pub(super) address: IpAddr,
    /// What it is, in words.
    pub(super) what: &'static str,
}

const V4: [(Ipv4Net, &str); 17] = [
    (v4(0, 0, 0, 0, 8), "an unspecified address"),
    (v4(10, 0, 0, 0, 8), "in a private network"),
    (v4(100, 64, 0, 0, 10), "in a provider's shared network"),
    (v4(127, 0, 0, 0, 8), "this machine itself"),
    (
        v4(169, 254, 0, 0, 16),
        "a link-local address, where clouds keep their metadata",
    ),
    (v4(172, 16, 0, 0, 12), "in a private network"),
    (v4(192, 0, 0, 0, 24), "reserved for protocols"),
    (v4(192, 0, 2, 0, 24), "for documentation"),
    (v4(192, 31, 196, 0, 24), "reserved for protocols"),
    (v4(192, 52, 193, 0, 24), "reserved for protocols"),
    (v4(192, 88, 99, 0, 24), "reserved for protocols"),
    (v4(192, 168, 0, 0, 16), "in a private network"),
    (v4(198, 18, 0, 0, 15), "for measuring networks"),
    (v4(198, 51, 100, 0, 24), "for documentation"),
    (v4(203, 0, 113, 0, 24), "for documentation"),
    (v4(224, 0, 0, 0, 4), "a multicast address"),
    (v4(240, 0, 0, 0, 4), "reserved"),
];

/// Azure's and Oracle's metadata lie at addresses that are otherwise public.
const METADATA: [Ipv4Addr; 2] = [Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(192, 0, 0, 192)];

const V6: [(Ipv6Net, &str); 11] = [
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 128), "an unspecified address"),
    (v6([0, 0, 0, 0, 0, 0, 0, 1], 128), "this machine itself"),
    (v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48), "in a private network"),
    (v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64), "an address that discards"),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), "reserved for protocols"),
    (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), "for documentation"),
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), "for documentation"),
    (v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16), "reserved for protocols"),
    (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), "in a private network"),
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 9), "a link-local address"),
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), "a multicast address"),
];

const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6(words: [u16; 8], bits: u8) -> Ipv6Net {
    // From its parts in a constant: `From<[u16; 8]>` is none.
    let address = Ipv6Addr::new(words[0], words[1], words[2], words[3], words[4], words[5], words[6], words[7]);
    Ipv6Net::new_assert(address, bits)
}

/// Decides about addresses.
#[derive(Clone, Debug, Default)]
pub(super) struct Guard {
    open: Vec<IpNet>,
}

impl Guard {
    /// A guard that lets these ranges through.
    pub(super) const fn new(open: Vec<IpNet>) -> Self {
        Self { open }
    }

    /// Refuses an address that nothing may be sent to.
    pub(super) fn check(&self, address: IpAddr) -> Result<(), Refused> {
        // What is carried inside is what is reached: a range that is opened is meant as it is reached.
        let reached = carried(address).map_or(address, IpAddr::V4);
        if self.open.iter().any(|net| net.contains(&address) || net.contains(&reached)) {
            return Ok(());
        }
        match what(address) {
            None => Ok(()),
            Some(what) => Err(Refused { address, what }),
        }
    }
}

fn what(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => what_v4(address),
        IpAddr::V6(v6) => {
            let named = V6.iter().find(|(net, _)| net.contains(&v6)).map(|(_, what)| *what);
            named.or_else(|| what_v4(carried(address)?))
        }
    }
}

fn what_v4(address: Ipv4Addr) -> Option<&'static str> {
    if METADATA.contains(&address) {
        return Some("where a cloud keeps its metadata");
    }
    V4.iter().find(|(net, _)| net.contains(&address)).map(|(_, what)| *what)
}

/// The IPv4 address that an IPv6 one leads to: mapped and compatible (RFC 4291), translated (RFC 2765, 6052), 6to4 (RFC 3056), Teredo (RFC 4380),
/// ISATAP (RFC 5214).
fn carried(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(address) = address else { return None };
    let words = address.segments();
    let of = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match words {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] if high != 0 || low > 1 => Some(of(high, low)),
        [0, 0, 0, 0, 0xffff, 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            Some(of(high, low))
        }
        [0x2001, 0, .., high, low] => Some(of(!high, !low)),
        [_, _, _, _, 0 | 0x200, 0x5efe, high, low] => Some(of(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(guard: &Guard, text: &str) -> bool {
        guard.check(text.parse().unwrap()).is_err()
    }

    #[test]
    fn what_is_not_public_is_refused() {
        let guard = Guard::default();
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.8.8.8",
            "169.254.169.254",
            "169.254.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.0.192",
            "192.0.2.7",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.9",
            "203.0.113.1",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
            "::",
            "::1",
            "fe80::1",
            "fec0::1",
            "fc00::1",
            "fd12:3456::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001:db8::1",
            "3fff::1",
            "100::1",
            "64:ff9b:1::1",
            "2001::1",
            "2001:10::1",
        ] {
            assert!(is_refused(&guard, text), "{text}");
        }
    }

    #[test]
    fn what_is_carried_inside_is_refused_too() {
        let guard = Guard::default();
        for text in [
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:a00:1",
            "::127.0.0.1",
            "::10.0.0.1",
            "::ffff:0:10.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "2002:c0a8:101::1",
            "2001:0:0:0:0:0:80ff:fffe",
            "2a00:1450::5efe:a00:1",
            "2a00:1450::200:5efe:7f00:1",
        ] {
            assert!(is_refused(&guard, text), "{text}");
        }
    }

    #[test]
    fn what_is_public_is_sent_to() {
        let guard = Guard::default();
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "93.184.216.34",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "192.169.0.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450:4001::200e",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
        ] {
            assert!(!is_refused(&guard, text), "{text}");
        }
    }

    #[test]
    fn a_range_that_was_named_is_open_in_every_form() {
        let guard = Guard::new(vec!["10.0.0.0/24".parse().unwrap(), "fd00::/8".parse().unwrap()]);
        for text in ["10.0.0.9", "::ffff:10.0.0.9", "64:ff9b::10.0.0.9", "fd00::1"] {
            assert!(!is_refused(&guard, text), "{text}");
        }
        for text in ["10.0.1.9", "127.0.0.1", "::ffff:10.0.1.9", "fe80::1"] {
            assert!(is_refused(&guard, text), "{text}");
        }
    }

    #[test]
    fn a_refusal_can_be_read() {
        let said = Guard::default()
            .check("169.254.169.254".parse().unwrap())
            .unwrap_err()
            .to_string();
        assert!(said.contains("169.254.169.254") && said.contains("--webhook-allow"), "{said}");
    }
}
