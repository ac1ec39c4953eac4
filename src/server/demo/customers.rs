//! The file of the CSV import.

use super::cast::Customer;

/// What the person called it.
pub(super) const FILE_NAME: &str = "customers-spring.csv";
/// Rows in it.
pub(super) const ROWS: i64 = 420;

/// The file: names, addresses, cities.
pub(super) fn file() -> String {
    let mut file = "Name,Email,Source_id,City,Tier\r\n".to_owned();
    for number in 0..ROWS {
        let customer = Customer::of_number(2_000 + number);
        // One row in seventy lacks its address: these are the ones that the import could not take.
        let email = if number % 70 == 69 { String::new() } else { customer.email() };
        let row = [
            customer.name(),
            email,
            format!("crm-{number}"),
            customer.city().to_owned(),
            "blue".to_owned(),
        ];
        file.push_str(&row.join(","));
        file.push_str("\r\n");
    }
    file
}
