//! The queue into which librdkafka puts the records of our partitions, handed over many at a time.
//!
//! rdkafka takes each record as an event of its own, which costs more than most of what is done with it. librdkafka's older call hands all
//! that is at hand to a callback, with one look at the clock and one lock for all of them. Rebalances stay with rdkafka's consumer: they
//! come by another queue.

use std::any::Any;
use std::collections::BTreeSet;
use std::ffi::{CString, c_void};
use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::{self, NonNull};
use std::time::Duration;

use rdkafka::bindings::{
    rd_kafka_consume_callback, rd_kafka_message_t, rd_kafka_message_timestamp,
    rd_kafka_queue_destroy, rd_kafka_queue_forward, rd_kafka_queue_get_partition,
    rd_kafka_queue_new, rd_kafka_queue_t, rd_kafka_t, rd_kafka_topic_destroy, rd_kafka_topic_new,
    rd_kafka_topic_t, rd_kafka_yield,
};
use rdkafka::error::{IsError, RDKafkaErrorCode};

use super::headers::{RecordHeaders, bytes};
use crate::error::{Error, Result};

/// How many records one call hands over at most, by the name of librdkafka's setting: many, so that what is done once for a call hardly
/// counts. What waits for its turn within a call is not counted as fetched ahead, and the next records are fetched meanwhile: up to twice
/// as much is in memory, and three times where the records are copied, too.
pub(super) const MAX_MESSAGES: (&str, &str) = ("consume.callback.max.messages", "1024");

/// What librdkafka hands over: a record, or what it has to tell of a partition. Lives until the callback returns.
pub(super) struct Message<'a> {
    native: NonNull<rd_kafka_message_t>,
    lives: PhantomData<&'a rd_kafka_message_t>,
}

impl<'a> Message<'a> {
    fn fields(&self) -> &'a rd_kafka_message_t {
        // SAFETY: librdkafka's own, valid for 'a.
        unsafe { self.native.as_ref() }
    }

    pub(super) fn error(&self) -> Option<RDKafkaErrorCode> {
        let error = self.fields().err;
        error.is_error().then(|| error.into())
    }

    pub(super) fn partition(&self) -> i32 {
        self.fields().partition
    }

    pub(super) fn offset(&self) -> i64 {
        self.fields().offset
    }

    /// Milliseconds since 1970-01-01T00:00:00Z; negative when the record carries none.
    pub(super) fn timestamp_ms(&self) -> i64 {
        // SAFETY: the message is valid, and nobody asks for the kind of its time.
        unsafe { rd_kafka_message_timestamp(self.native.as_ptr(), ptr::null_mut()) }
    }

    pub(super) fn key(&self) -> Option<&'a [u8]> {
        let fields = self.fields();
        // SAFETY: librdkafka keeps so many bytes there as long as the message lives.
        unsafe { bytes(fields.key, fields.key_len) }
    }

    pub(super) fn value(&self) -> Option<&'a [u8]> {
        let fields = self.fields();
        // SAFETY: as for the key.
        unsafe { bytes(fields.payload, fields.len) }
    }

    pub(super) fn headers(&self) -> RecordHeaders<'a> {
        // SAFETY: the message is valid for 'a, and owns its headers.
        unsafe { RecordHeaders::of_native(self.native.as_ptr()) }
    }
}

/// Must be dropped before the consumer that it was made from.
pub(super) struct RecordQueue {
    client: *mut rd_kafka_t,
    topic: *mut rd_kafka_topic_t,
    name: CString,
    queue: *mut rd_kafka_queue_t,
    /// Whose records come by this queue.
    partitions: BTreeSet<i32>,
}

// SAFETY: librdkafka's handles may be used from any thread; what is ours is plain data.
unsafe impl Send for RecordQueue {}

impl RecordQueue {
    /// # Safety
    ///
    /// The client is one of a consumer that outlives the queue.
    pub(super) unsafe fn of(client: *mut rd_kafka_t, topic: &str) -> Result<Self> {
        let name = CString::new(topic)
            .map_err(|_| Error::configuration("the name of the topic has a NUL in it"))?;
        // SAFETY: the client is valid, and the name ends with NUL; no settings means those of the client.
        let (topic, queue) = unsafe {
            (
                rd_kafka_topic_new(client, name.as_ptr(), ptr::null_mut()),
                rd_kafka_queue_new(client),
            )
        };
        let queue = Self {
            client,
            topic,
            name,
            queue,
            partitions: BTreeSet::new(),
        };
        match queue.topic.is_null() || queue.queue.is_null() {
            true => Err(Error::bug("librdkafka gives no queue for the topic")),
            false => Ok(queue),
        }
    }

    /// From now on the records of this partition come by this queue. To be told before the partition is assigned, so that none comes by
    /// the consumer's own.
    pub(super) fn lead(&mut self, partition: i32) -> Result<()> {
        // SAFETY: all of them are valid; the handle of the partition's queue is only a reference, which is given back.
        unsafe {
            let of_partition =
                rd_kafka_queue_get_partition(self.client, self.name.as_ptr(), partition);
            if of_partition.is_null() {
                return Err(Error::bug("librdkafka gives no queue for a partition"));
            }
            rd_kafka_queue_forward(of_partition, self.queue);
            rd_kafka_queue_destroy(of_partition);
        }
        self.partitions.insert(partition);
        Ok(())
    }

    /// The partition is ours no longer. Its records would still come by this queue, but there are none.
    pub(super) fn leave(&mut self, partition: i32) {
        self.partitions.remove(&partition);
    }

    /// Whether any partition's records come by this queue.
    pub(super) fn is_led(&self) -> bool {
        !self.partitions.is_empty()
    }

    /// Waits up to `timeout` for a message, and hands over what is at hand until it is told to stop. What is left stays in its order.
    pub(super) fn take(
        &mut self,
        timeout: Duration,
        on_message: &mut dyn FnMut(Message<'_>) -> ControlFlow<()>,
    ) {
        // Any partition will do: librdkafka follows it to the queue of all.
        let Some(&any) = self.partitions.first() else {
            return;
        };
        let mut call = Call {
            client: self.client,
            on_message,
            panic: None,
        };
        let timeout = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the call outlives the function that uses it, and the callback takes it for what it is. It says -1 for a partition that
        // librdkafka does not know, which gives no message either.
        unsafe {
            rd_kafka_consume_callback(
                self.topic,
                any,
                timeout,
                Some(hand_over),
                (&raw mut call).cast(),
            );
        }
        if let Some(panic) = call.panic {
            resume_unwind(panic);
        }
    }
}

impl Drop for RecordQueue {
    fn drop(&mut self) {
        // SAFETY: ours, and used no more. What is left in the queue goes with it.
        unsafe {
            if !self.queue.is_null() {
                rd_kafka_queue_destroy(self.queue);
            }
            if !self.topic.is_null() {
                rd_kafka_topic_destroy(self.topic);
            }
        }
    }
}

struct Call<'a> {
    client: *mut rd_kafka_t,
    on_message: &'a mut dyn FnMut(Message<'_>) -> ControlFlow<()>,
    /// No panic may go through librdkafka: it goes on behind it.
    panic: Option<Box<dyn Any + Send>>,
}

/// # Safety
///
/// `call` is a [`Call`] that nobody else uses meanwhile, and the message is valid until this returns.
unsafe extern "C" fn hand_over(message: *mut rd_kafka_message_t, call: *mut c_void) {
    // SAFETY: as the caller says.
    let call = unsafe { &mut *call.cast::<Call<'_>>() };
    let Some(native) = NonNull::new(message) else {
        return;
    };
    let message = Message {
        native,
        lives: PhantomData,
    };
    let told = catch_unwind(AssertUnwindSafe(|| (call.on_message)(message)));
    if matches!(told, Ok(ControlFlow::Continue(()))) {
        return;
    }
    call.panic = told.err();
    // SAFETY: the client is valid; within a callback this means that no other one follows.
    unsafe { rd_kafka_yield(call.client) };
}
