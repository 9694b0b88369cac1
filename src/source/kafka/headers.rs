//! The headers of a record: one looked up by its name, or all of them.
//!
//! Kafka takes any bytes for the name of a header, and rdkafka's iterator panics on one that is not UTF-8. So librdkafka itself is asked,
//! which compares bytes.

use std::ffi::{CStr, CString, c_void};
use std::marker::PhantomData;
use std::ptr;

use rdkafka::bindings::{
    rd_kafka_header_get, rd_kafka_header_get_all, rd_kafka_headers_t, rd_kafka_message_headers,
    rd_kafka_message_t,
};
use rdkafka::message::BorrowedMessage;
use rdkafka::types::RDKafkaRespErr;

pub struct RecordHeaders<'a> {
    /// Null when the record has none.
    native: *mut rd_kafka_headers_t,
    message: PhantomData<&'a rd_kafka_message_t>,
}

impl<'a> RecordHeaders<'a> {
    pub(super) fn of(message: &'a BorrowedMessage<'_>) -> Self {
        // SAFETY: the message is a valid one as long as it is borrowed.
        unsafe { Self::of_native(message.ptr()) }
    }

    /// # Safety
    ///
    /// The message is valid for 'a.
    pub(super) unsafe fn of_native(message: *const rd_kafka_message_t) -> Self {
        let mut native = ptr::null_mut();
        // SAFETY: the message is valid, and owns the headers that it tells.
        let error = unsafe { rd_kafka_message_headers(message, &mut native) };
        Self {
            native: match error {
                RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => native,
                _ => ptr::null_mut(),
            },
            message: PhantomData,
        }
    }

    /// The values of the headers of this name, in their order.
    pub(super) fn values(&self, name: &CStr) -> impl Iterator<Item = &'a [u8]> {
        let found = |place| self.value(place, name);
        // A header without a value is passed over.
        (0..).map_while(found).flatten()
    }

    /// Of the headers of this name, the one at this place.
    fn value(&self, place: usize, name: &CStr) -> Option<Option<&'a [u8]>> {
        if self.native.is_null() {
            return None;
        }
        let (mut value, mut size) = (ptr::null(), 0);
        // SAFETY: the headers belong to the message, which is borrowed for 'a; the name ends with NUL.
        let error = unsafe {
            rd_kafka_header_get(self.native, place, name.as_ptr(), &mut value, &mut size)
        };
        if error != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            return None;
        }
        // SAFETY: librdkafka keeps `size` bytes there as long as the message lives.
        Some(unsafe { bytes(value, size) })
    }

    /// Name and value of each header, in their order.
    pub fn all(&self) -> Vec<(&'a [u8], Option<&'a [u8]>)> {
        let found = |place| self.at(place);
        (0..).map_while(found).collect()
    }

    fn at(&self, place: usize) -> Option<(&'a [u8], Option<&'a [u8]>)> {
        if self.native.is_null() {
            return None;
        }
        let (mut name, mut value, mut size) = (ptr::null(), ptr::null(), 0);
        // SAFETY: the headers belong to the message, which is borrowed for 'a.
        let error = unsafe {
            rd_kafka_header_get_all(self.native, place, &mut name, &mut value, &mut size)
        };
        if error != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR || name.is_null() {
            return None;
        }
        // SAFETY: the name ends with NUL, and both live as long as the message.
        Some(unsafe { (CStr::from_ptr(name).to_bytes(), bytes(value, size)) })
    }

    /// The first header of this name, where it is a text.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        let name = CString::new(name).ok()?;
        std::str::from_utf8(self.values(&name).next()?).ok()
    }
}

/// # Safety
///
/// `size` bytes are there for 'a, where the pointer is not null.
pub(super) unsafe fn bytes<'a>(value: *const c_void, size: usize) -> Option<&'a [u8]> {
    // SAFETY: as the caller says.
    (!value.is_null()).then(|| unsafe { std::slice::from_raw_parts(value.cast::<u8>(), size) })
}
