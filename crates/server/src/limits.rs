//! Every bound of the server, in one place: what a request may hold, and what the transport grants.
//!
//! The proto comments state the same numbers to callers.
//! What one product, rule or policy may hold is not here: the domain crates' constructors own that.

use std::time::Duration;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

// What a request may hold.

/// Anchors of one `RecommendRequest`.
pub const ANCHORS_MAX: usize = 100;
/// Cart lines of one `RecommendRequest`.
pub const CART_LINES_MAX: usize = 500;
/// Lines of the order in one `RecommendRequest`.
pub const ORDER_LINES_MAX: usize = 500;
/// Owned products of one `RecommendRequest`.
pub const OWNED_MAX: usize = 10_000;
/// Live prices and stock of one `RecommendRequest`.
pub const LIVE_MAX: usize = 1_000;
/// Turns of one conversation.
pub const TURNS_MAX: usize = 200;
/// Bytes of one turn.
pub const TURN_MAX_BYTES: usize = 8 * KIB;
/// Bytes of all turns of one conversation together.
pub const CONVERSATION_MAX_BYTES: usize = 128 * KIB;
/// Largest number that a message of a conversation may bear: numbers after it are left for those that bear none.
pub const SEQUENCE_MAX: u64 = i64::MAX as u64;
/// Bytes of the texts of one conversation that are read on an async thread; more are read apart.
pub const READ_INLINE_MAX_BYTES: usize = 8 * KIB;
/// Outcomes of offers in one conversation.
pub const OUTCOMES_MAX: usize = 100;
/// What `max_results` may ask for.
pub const RESULTS_MAX: u32 = 100;
/// Quantity of one cart or order line.
pub const LINE_QUANTITY_MAX: u32 = 1_000_000;
/// Bytes of a product, rule, order, shopper, session or request id.
pub const ID_MAX_BYTES: usize = 128;
/// Bytes of the name of a time zone.
pub const TIME_ZONE_MAX_BYTES: usize = 64;
/// Characters of a merchant id.
pub const MERCHANT_ID_MAX: usize = 64;
/// Characters of a policy's name.
pub const POLICY_NAME_MAX: usize = 64;
/// Unknown ids reported by one answer.
pub const UNKNOWN_IDS_MAX: usize = 100;
/// Trace entries of one answer, and candidates explained when none are named.
pub const TRACE_MAX: usize = 1_000;
/// Products named in one `ExplainRequest`.
pub const EXPLAIN_PRODUCTS_MAX: usize = 100;
/// Requests of one `BatchRecommendRequest`.
pub const BATCH_MAX: usize = 1_000;
/// Requests of one batch that may ask for the trace.
pub const BATCH_EXPLAINED_MAX: usize = 100;
/// Bytes of one recorded order as it is sent.
pub const ORDER_MAX_BYTES: usize = 256 * KIB;
/// Follow-ups of one lease.
pub const LEASES_MAX: u32 = 1_000;
/// Follow-ups of one lease that names no number.
pub const LEASES_DEFAULT: u32 = 100;
/// The shortest lease.
pub const LEASE_MIN: Duration = Duration::from_secs(1);
/// The longest lease.
pub const LEASE_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// A lease that names no length.
pub const LEASE_DEFAULT: Duration = Duration::from_secs(5 * 60);
/// Orders that a shopper is taken out of in one write.
pub const ERASED_AT_ONCE_MAX: usize = 200;
/// What a caller is told to wait whose erasure has not reached the exports.
pub const RETRY_AFTER_ERASURE: Duration = Duration::from_secs(10);
/// Orders of a shopper whose follow-ups are listed.
pub const LISTED_ORDERS_MAX: usize = 100;
/// Items of one bulk write: products, offers, orders, rules or ids.
pub const BULK_ITEMS_MAX: usize = 1_000;
/// Items of one message of an import or a replacement.
pub const IMPORT_MESSAGE_ITEMS_MAX: usize = 10_000;
/// Products of one merchant, and so of one import that replaces its catalog.
pub const PRODUCTS_MAX: usize = 2_000_000;
/// Refusals that an import reports.
pub const IMPORT_ERRORS_MAX: usize = 100;
/// Rules of one merchant.
pub const RULES_MAX: usize = 200_000;
/// Rules created or removed by the draft of one `SimulateRulesRequest`, each.
pub const SIMULATE_RULES_MAX: usize = 1_000;
/// Contexts of one `SimulateRulesRequest`.
pub const SIMULATE_CONTEXTS_MAX: usize = 1_000;
/// Findings of one lint.
pub const LINT_FINDINGS_MAX: usize = 10_000;
/// What `page_size` may ask for.
pub const PAGE_SIZE_MAX: u32 = 1_000;
/// Page size when 0 is asked for.
pub const PAGE_SIZE_DEFAULT: u32 = 100;
/// Bytes of a page token.
pub const PAGE_TOKEN_MAX_BYTES: usize = 512;
/// Bytes of the items of one page; a page that would be larger ends early.
pub const PAGE_MAX_BYTES: usize = 3 * MIB;
/// Generations that one merchant's history keeps.
pub const SNAPSHOTS_KEPT_MAX: usize = 64;
/// Changes listed by one diff.
pub const DIFF_CHANGES_MAX: usize = 10_000;
/// How far in the future a `set_time` may lie.
pub const SET_TIME_AHEAD_MAX: Duration = Duration::from_secs(60 * 60);

// Messages.

/// Bytes of one request.
pub const REQUEST_MAX_BYTES: usize = 4 * MIB;
/// Bytes of one message of an import, a replacement or an exported file.
pub const IMPORT_MESSAGE_MAX_BYTES: usize = 16 * MIB;
/// Bytes of one exported file that `Import` takes.
pub const IMPORT_FILE_MAX_BYTES: usize = 2 * 1024 * MIB;
/// Bytes of one file chunk that `Export` sends.
pub const EXPORT_CHUNK_BYTES: usize = 64 * KIB;
/// Bytes of one request to the health and reflection services.
pub const PROBE_MAX_BYTES: usize = 16 * KIB;

// Writes.

/// Groups of changes that wait for one writer; more are refused.
pub const WRITER_QUEUE_MAX: usize = 1_024;
/// Changes that one merchant may have waiting, so that none starves the others.
pub const MERCHANT_PENDING_MAX: usize = 256;
/// Changes that the writer commits together.
pub const WRITER_GROUP_MAX: usize = 256;
/// How long a `request_id` is remembered.
pub const REQUEST_ID_MEMORY: Duration = Duration::from_secs(24 * 60 * 60);
/// Request ids remembered for one merchant; the oldest go first.
pub const REQUEST_IDS_MAX: usize = 10_000;

// Errors.

/// Text of all violations in one error, in bytes: an error travels in a header, and peers bound those.
pub const VIOLATIONS_MAX_BYTES: usize = 4 * KIB;
/// One text within an error, in bytes.
pub const ERROR_TEXT_MAX_BYTES: usize = 512;
/// What a caller is told to wait when the server is full.
pub const RETRY_AFTER_FULL: Duration = Duration::from_millis(100);

// Connections.

/// Open connections. Keep it below the process's limit of open files.
pub const CONNECTIONS_MAX: usize = 512;
/// How long a new connection may take to say the HTTP/2 preface.
pub const PREFACE_TIMEOUT: Duration = Duration::from_secs(10);
/// Concurrent calls on one connection.
pub const STREAMS_MAX: u32 = 128;
/// Bytes of one call's headers.
pub const HEADER_LIST_MAX_BYTES: u32 = 16 * 1024;
/// Flow-control window of a connection and of each call on it, in bytes.
pub const WINDOW_BYTES: u32 = 1024 * 1024;
/// Bytes of an answer that wait for a slow reader, for each call.
pub const SEND_BUFFER_MAX_BYTES: usize = MIB;
/// Silence on a connection after which it is pinged.
pub const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(30);
/// How long the answer to that ping may take.
pub const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// Age at which a connection is asked to go, give or take the jitter.
pub const CONNECTION_AGE: Duration = Duration::from_secs(30 * 60);
/// Jitter of that age, in percent either way, so that clients do not return all at once.
pub const CONNECTION_AGE_JITTER_PERCENT: u32 = 10;
/// How long a connection asked to go may stay without calls.
pub const CONNECTION_GRACE: Duration = Duration::from_secs(10);
/// How long shutdown waits for calls under way.
pub const DRAIN_DEADLINE: Duration = Duration::from_secs(20);
/// Connections that read metrics at once; more wait.
pub const SCRAPES_MAX: usize = 128;
/// How long such a connection may take to ask.
pub const SCRAPE_HEAD_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a connection that reads metrics may last.
pub const SCRAPE_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause after an `accept` that failed, for instance for want of file descriptors.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

// Calls.

/// Bytes of a caller's `x-request-id`; a longer one is replaced.
pub const REQUEST_ID_HEADER_MAX_BYTES: usize = 64;
/// Deadline of a unary call that names none.
pub const UNARY_DEADLINE_DEFAULT: Duration = Duration::from_secs(10);
/// Longest deadline of a unary call; a longer one is shortened.
pub const UNARY_DEADLINE_MAX: Duration = Duration::from_secs(5 * 60);
/// Deadline of an upload or download that names none, and the longest.
pub const TRANSFER_DEADLINE_MAX: Duration = Duration::from_secs(60 * 60);
/// Concurrent reads: `Recommend`, `Explain`, gets and lists.
pub const READS_MAX: usize = 1_024;
/// Concurrent writes.
pub const WRITES_MAX: usize = 512;
/// Concurrent heavy calls: imports, exports, batches and simulations.
pub const BULKS_MAX: usize = 16;
/// Of these, uploads that are held in memory whole before they are applied.
pub const REPLACEMENTS_MAX: usize = 4;
/// Models that are learned at once; others wait.
pub const LEARNING_MAX: usize = 1;
/// Models that are asked for and wait, callers that have gone included; more are refused.
pub const LEARNING_WAITING_MAX: usize = 16;
/// Concurrent calls that people make: lint, history, diff; and calls of unknown methods.
pub const ADMINS_MAX: usize = 32;
/// Conversations that are followed at once.
pub const CONVERSATIONS_MAX: usize = 16_384;
/// Conversations that are remembered.
pub const SESSIONS_MAX: usize = 100_000;
/// Of these, how many one merchant may have.
pub const SESSIONS_OF_MERCHANT_MAX: usize = 50_000;
/// Messages of a conversation within which one that comes late still takes its place.
pub const SESSION_WINDOW: usize = 8;
/// Gaps before these, of numbers that no message had, that are remembered for one that comes later still.
pub const SESSION_MISSED_MAX: usize = 16;
/// How long a conversation is remembered after its last message.
pub const SESSION_IDLE: Duration = Duration::from_secs(30 * 60);
/// How often those that are over are forgotten.
pub const SESSIONS_SWEPT_EVERY: Duration = Duration::from_secs(60);
/// Concurrent subscriptions to new generations.
pub const WATCHES_MAX: usize = 1_024;
