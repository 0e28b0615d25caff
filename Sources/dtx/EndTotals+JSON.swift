import DTXCore

extension TransferSummary {
  /// What a sender counted of itself.
  static func sender(_ totals: EndTotals) -> [(String, JSONValue)] {
    common(totals) + [
      ("zero_copy_bytes", .integer(totals.zeroCopyByteCount)),
      ("opening_seconds", .seconds(totals.times[.opening])),
      ("scanning_seconds", .seconds(totals.times[.scanning])),
      ("comparing_seconds", .seconds(totals.times[.comparing])),
      ("moving_seconds", .seconds(totals.times[.moving])),
      ("settling_seconds", .seconds(totals.times[.settling])),
      ("sealing_seconds", .seconds(totals.times[.sealing])),
      ("reading_seconds", .seconds(totals.times[.reading])),
      ("encoding_seconds", .seconds(totals.times[.encoding])),
      ("sending_seconds", .seconds(totals.times[.sending])),
      ("blocked_seconds", .seconds(totals.times[.blocked])),
      ("walking_seconds", .seconds(totals.times[.walking])),
    ]
  }

  /// What a receiver counted of itself.
  static func receiver(_ totals: EndTotals) -> [(String, JSONValue)] {
    common(totals) + [
      ("epochs", .integer(totals.epochCount)),
      ("sync_seconds", .seconds(totals.syncNanoseconds)),
      ("bytes_reread", .integer(totals.rereadByteCount)),
      ("awaiting_seconds", .seconds(totals.times[.awaiting])),
      ("receiving_seconds", .seconds(totals.times[.receiving])),
      ("decoding_seconds", .seconds(totals.times[.decoding])),
      ("writing_seconds", .seconds(totals.times[.writing])),
      ("paused_seconds", .seconds(totals.times[.paused])),
      ("looking_seconds", .seconds(totals.times[.looking])),
      ("preparing_seconds", .seconds(totals.times[.preparing])),
      ("committing_seconds", .seconds(totals.times[.committing])),
    ]
  }

  /// One of the causes that limited the transfer.
  static func json(_ share: Limitation.Share) -> JSONValue {
    .object([
      ("cause", .string(share.cause.name)),
      ("percent", .integer(share.percent)),
    ])
  }

  private static func common(_ totals: EndTotals) -> [(String, JSONValue)] {
    [
      ("peak_memory_bytes", .integer(totals.peakMemoryByteCount)),
      ("processors", .integer(totals.processorCount)),
      ("processor_seconds", .seconds(totals.processorNanoseconds)),
      ("host_processor_seconds", .seconds(totals.hostProcessorNanoseconds)),
      ("storage_access", .optional(totals.storage) { .string($0.access.name) }),
      ("storage_method", .optional(totals.storage) { .string($0.mechanism.name) }),
    ]
  }
}
