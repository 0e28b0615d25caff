import DTXCore
import DTXEngine
import Testing

extension EndToEndTests {
  /// An initiator that settles other lanes than it asked for.
  @Suite struct SettlementTests {
    private static let rate = Rate(bitsPerSecond: 1_000_000)

    private static func settlement(
      _ laneCount: Int,
      _ rate: Rate? = rate,
      usesControlChannel: Bool = false
    ) -> LaneSettlement {
      let lane = Lane(contract: .bestEffort, rate: rate, connectionCount: 1)
      let inputs = PlanInputs(lanes: Array(repeating: lane, count: laneCount))
      return LaneSettlement(usesControlChannel: usesControlChannel, inputs: inputs)
    }

    /// Asks for one lane of a rate.
    private func refusal(
      _ direction: Direction,
      _ settlement: LaneSettlement,
      changing change: (inout Request) -> Void = { _ in }
    ) throws -> TransferError? {
      let place = try Workplace()
      try place.makeDirectory("from")
      let far = try HostileInitiator(in: place)
      var request = far.request(direction, place(direction == .pull ? "from/" : "to"))
      request.lanes = [LaneSettings(pacedRate: Self.rate)]
      change(&request)
      let refusal = try far.refusal(of: request, settling: settlement)
      _ = try far.finish()
      return refusal
    }

    @Test func theLanesThatWereAskedForAreTaken() throws {
      #expect(try refusal(.pull, Self.settlement(1)) == nil)
      #expect(try refusal(.pull, Self.settlement(1, nil, usesControlChannel: true)) == nil)
    }

    @Test(arguments: [
      (Direction.pull, settlement(64), "64 lanes were settled, and 1 requested"),
      (.push, settlement(2), "2 lanes were settled, and 1 requested"),
      (.pull, settlement(1, nil), "lane 0 has a rate in one of request and settlement only"),
      (.pull, settlement(1, Rate(bitsPerSecond: 1_000_001)), "lane 0 is planned with more"),
      (.pull, settlement(2, nil, usesControlChannel: true), "one lane with one connection"),
    ])
    func otherLanesAreRefused(
      _ direction: Direction,
      _ settlement: LaneSettlement,
      _ text: String
    ) throws {
      let answer = try refusal(direction, settlement)
      let refusal = try #require(answer)
      #expect(refusal.kind == .refused)
      #expect("\(refusal)".contains(text), "\(refusal)")
    }

    @Test func anInitiatorThatListensForNoLaneIsRefused() throws {
      let answer = try refusal(.pull, Self.settlement(1)) { request in
        request.lanes = []
        request.doorway = Doorway(place: Acceptance(port: 9, addresses: []), targets: [])
      }
      let refusal = try #require(answer)
      #expect("\(refusal)".contains("there is no lane to dial"), "\(refusal)")
    }
  }
}
