import DTXCore
import Testing

/// What a responder holds against what it was asked for.
@Suite struct LaneSettlementTests {
  private func problem(
    _ settings: [LaneSettings],
    _ lanes: [Lane],
    usesControlChannel: Bool = false
  ) -> String? {
    let request = Request(
      direction: .pull,
      paths: [[1]],
      options: TransferOptions(),
      secret: [],
      sessionID: [],
      ports: 0...0,
      cipher: .none,
      lanes: settings
    )
    let inputs = PlanInputs(lanes: lanes)
    return LaneSettlement(usesControlChannel: usesControlChannel, inputs: inputs)
      .problem(answering: request)
  }

  private func settings(_ bits: UInt64?) -> LaneSettings {
    LaneSettings(pacedRate: bits.map { Rate(bitsPerSecond: $0) })
  }

  private func lane(_ bits: UInt64?, _ connectionCount: Int = 1) -> Lane {
    Lane(
      contract: .bestEffort,
      rate: bits.map { Rate(bitsPerSecond: $0) },
      connectionCount: connectionCount
    )
  }

  @Test func asManyLanesAreSettledAsWereRequested() {
    #expect(problem([settings(nil)], [lane(nil)]) == nil)
    #expect(problem([settings(nil)], [lane(nil), lane(nil)]) != nil)
    #expect(problem([settings(nil), settings(nil)], [lane(nil)]) != nil)
    #expect(problem([], [lane(nil)]) != nil)
  }

  @Test func oneConnectionGoesThroughTheControlChannel() {
    for requested in [[], [settings(1000), settings(1000)]] {
      #expect(problem(requested, [lane(nil)], usesControlChannel: true) == nil)
      #expect(problem(requested, [lane(nil, 2)], usesControlChannel: true) != nil)
      #expect(problem(requested, [lane(nil), lane(nil)], usesControlChannel: true) != nil)
    }
  }

  @Test func aLaneIsPlannedWithNoMoreThanWasRequested() {
    #expect(problem([settings(1000)], [lane(1000, 3)]) == nil)
    #expect(problem([settings(1000)], [lane(1)]) == nil)
    #expect(problem([settings(1000)], [lane(1001)]) != nil)
    #expect(problem([settings(1000)], [lane(nil)]) != nil)
    #expect(problem([settings(nil)], [lane(1000)]) != nil)
  }

  @Test(arguments: [1, 88, 1448, 8948] as [UInt64], [false, true])
  func whatAnHonestInitiatorPlansWithIsTaken(_ segment: UInt64, _ isV6: Bool) {
    let shape = SegmentShape(segmentByteCount: segment, isV6: isV6)
    for layer in CountedLayer.allCases {
      for (bits, percent) in [(1_000_000, 100), (999_999_937, 97), (25_000_000_000, 1)] {
        var description = LaneDescription(lane(UInt64(bits)))
        description.pace = LanePace(layer: layer, percent: percent)
        #expect(problem([description.settings], [description.planned(shape)]) == nil)
      }
    }
  }
}
