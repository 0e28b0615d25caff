import DTXCore
import DTXSimulator

// dtx(1), "JSON".
extension SimulationReport {
  /// An object for each line of the answer and each published transfer, and the summary.
  var json: [JSONValue] {
    zip(scenario.variants, outcomes).map { json($0, $1) } + scenario.published.map(json) + [summary]
  }

  private func json(_ variant: ScenarioVariant, _ outcome: ScenarioOutcome) -> JSONValue {
    let goodput = outcome.goodput.bitsPerSecond
    return .object([
      ("type", .string("simulation")),
      ("simulated", .bool(true)),
      ("variant", .string(variant.name)),
      ("seconds", .seconds(outcome.elapsedNanoseconds)),
      ("predicted_seconds", .optional(outcome.predictedNanoseconds, JSONValue.seconds)),
      ("files", .integer(outcome.durableFileCount)),
      ("bytes_durable", .integer(outcome.durableByteCount)),
      ("bytes_sent", .integer(outcome.sentByteCount)),
      ("bytes_resent", .integer(outcome.resentByteCount)),
      ("bytes_resumed", .integer(outcome.resumedByteCount)),
      ("goodput_bits_per_second", .integer(goodput)),
      ("rate_ceiling_bits_per_second", .integer(outcome.rateCeiling.bitsPerSecond)),
      ("path_ceiling_bits_per_second", .integer(outcome.pathCeiling.bitsPerSecond)),
      ("efficiency", SimulationReport.ratio(goodput, outcome.rateCeiling.bitsPerSecond)),
      ("blocks_damaged", .integer(outcome.damagedBlockCount)),
      ("connections_lost", .integer(outcome.lostConnectionCount)),
      ("epochs", .integer(outcome.epochCount)),
      ("plan_generations", .integer(outcome.generationCount)),
      ("runs", .integer(outcome.runCount)),
      ("events", .integer(outcome.eventCount)),
      ("failures", .array(outcome.failures.map(JSONValue.string))),
      ("problem", .optional(outcome.problem, JSONValue.string)),
      (
        "limited_by",
        .array(
          (outcome.limitation?.shares ?? []).map { share in
            .object([
              ("cause", .string(share.cause.name)), ("percent", .integer(share.percent)),
            ])
          }
        )
      ),
    ])
  }

  private func json(_ other: PublishedTransfer) -> JSONValue {
    .object([
      ("type", .string("published")),
      ("name", .string(other.name)),
      ("bytes", .integer(other.byteCount)),
      ("seconds", .seconds(other.nanoseconds)),
    ])
  }

  private var summary: JSONValue {
    .object([
      ("type", .string("summary")),
      ("simulated", .bool(true)),
      ("scenario", .string(name)),
      ("title", .string(scenario.title)),
      ("seed", .integer(scenario.seed)),
      ("files", .integer(scenario.dataset.fileCount)),
      ("bytes", .integer(scenario.dataset.byteCount)),
      ("exit_status", .integer((isSound ? ExitStatus.success : .failed).rawValue)),
    ])
  }

  /// A part of one with nine decimals, which is how seconds are written.
  private static func ratio(_ part: UInt64, _ whole: UInt64) -> JSONValue {
    .seconds(UInt64(clamping: UInt128(part) * 1_000_000_000 / UInt128(max(whole, 1))))
  }
}
