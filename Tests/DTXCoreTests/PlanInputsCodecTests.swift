import DTXCore
import Testing

/// Two sets of inputs, and their bytes.
enum InputSamples {
  static let ratedForm = hex(
    """
    03                                # 3 lanes
    02                                # best effort
    8094ebdc03                        # 1000000000 b/s
    01                                # 1 connection
    00                                # name ""
    01                                # reserved
    80a8d6b907                        # 2000000000 b/s
    01                                # 1 connection
    0161                              # name "a"
    02                                # best effort
    80cab5ee01                        # 500000000 b/s
    01                                # 1 connection
    0162                              # name "b"
    001bb70000000000                  # round trip 12000000 ns
    4093340200000000                  # commit 37000000 ns
    4e23000000000000                  # overhead: 9038
    f422000000000000                  # over 8948
    """
  )

  static let rated = PlanInputs(
    lanes: [
      Lane(contract: .bestEffort, rate: Rate(bitsPerSecond: 1_000_000_000), connectionCount: 1),
      Lane(
        contract: .reserved,
        rate: Rate(bitsPerSecond: 2_000_000_000),
        connectionCount: 1,
        name: "a"
      ),
      Lane(
        contract: .bestEffort,
        rate: Rate(bitsPerSecond: 500_000_000),
        connectionCount: 1,
        name: "b"
      ),
    ],
    roundTripNanoseconds: 12_000_000,
    commitNanoseconds: 37_000_000,
    overheadNumerator: 9038,
    overheadDenominator: 8948
  )

  static let unratedForm = hex(
    """
    02                                # 2 lanes
    02                                # best effort
    00                                # no rate
    01                                # 1 connection
    00                                # name ""
    02                                # best effort
    00                                # no rate
    01                                # 1 connection
    00                                # name ""
    0000000000000000                  # round trip unknown
    0000000000000000                  # commit unknown
    0100000000000000                  # overhead: 1
    0100000000000000                  # over 1
    """
  )

  static let unrated = PlanInputs(lanes: Lane.split(nil, over: 2))
}

/// Holds the inputs of plans to dtx-protocol(7), "Plans" and "Handshake".
@Suite struct PlanInputsCodecTests {
  private static let inputs = DecoderCheck<PlanInputs>(
    encode: { value in written { PlanInputsCodec.encode(value, into: &$0) } },
    decode: { bytes throws(FormatError) in
      var reader = ByteReader(bytes)
      let value = try PlanInputsCodec.decode(&reader)
      try reader.finish("inputs")
      // What a plan does with them must not trap either.
      _ = value.queues
      _ = value.wireByteCount(.max)
      return value
    }
  )

  private static let settlement = DecoderCheck<LaneSettlement>(
    encode: { HandshakeCodec.encode($0) },
    decode: HandshakeCodec.settlement
  )

  @Test func goldenInputsHold() throws {
    try Self.inputs.holds(InputSamples.ratedForm, InputSamples.rated)
    try Self.inputs.holds(InputSamples.unratedForm, InputSamples.unrated)
    #expect(Self.inputs.problem(InputSamples.ratedForm + [0]) == .trailingBytes(1))
  }

  @Test func goldenSettlementsHold() throws {
    try Self.settlement.holds(
      [0] + InputSamples.ratedForm,
      LaneSettlement(usesControlChannel: false, inputs: InputSamples.rated)
    )
    let shell = hex(
      """
      01                              # through the control channel
      01                              # 1 lane
      02                              # best effort
      00                              # no rate
      01                              # 1 connection
      057368656c6c                    # name "shell"
      0000000000000000                # round trip unknown
      0000000000000000                # commit unknown
      0100000000000000                # overhead: 1
      0100000000000000                # over 1
      """
    )
    let lane = Lane(contract: .bestEffort, rate: nil, connectionCount: 1, name: "shell")
    let value = LaneSettlement(usesControlChannel: true, inputs: PlanInputs(lanes: [lane]))
    try Self.settlement.holds(shell, value)
    #expect(Self.settlement.problem(shell + [0]) == .trailingBytes(1))
  }

  @Test func inputsKeepTheirLimits() {
    let hour: UInt64 = 3_600_000_000_000
    let lane = Lane(contract: .bestEffort, rate: Rate(bitsPerSecond: 64), connectionCount: 64)
    let fast = Lane(contract: .bestEffort, rate: Rate(bitsPerSecond: 1 << 55), connectionCount: 1)
    let thin = Lane(contract: .bestEffort, rate: Rate(bitsPerSecond: 1), connectionCount: 2)
    let changes: [(String, Bool, (inout PlanInputs) -> Void)] = [
      ("no lane", false, { $0.lanes = [] }),
      ("256 lanes of the highest rate", true, { $0.lanes = Array(repeating: fast, count: 256) }),
      ("257 lanes", false, { $0.lanes = Array(repeating: fast, count: 257) }),
      ("a rate above", false, { $0.lanes[0].rate = Rate(bitsPerSecond: (1 << 55) + 1) }),
      ("64 connections", true, { $0.lanes = [lane] }),
      ("65 connections", false, { $0.lanes[0].connectionCount = 65 }),
      ("no connection", false, { $0.lanes[0].connectionCount = 0 }),
      ("more connections than bits", false, { $0.lanes = [thin] }),
      ("a long name", true, { $0.lanes[0].name = String(repeating: "a", count: 255) }),
      ("a longer name", false, { $0.lanes[0].name = String(repeating: "a", count: 256) }),
      ("a reserved lane without a rate", false, { $0.lanes[1].rate = nil }),
      ("rates here and there", false, { $0.lanes[2].rate = nil }),
      ("a round trip", true, { $0.roundTripNanoseconds = hour - 1 }),
      ("a round trip of an hour", false, { $0.roundTripNanoseconds = hour }),
      ("a commit", true, { $0.commitNanoseconds = hour - 1 }),
      ("a commit of an hour", false, { $0.commitNanoseconds = hour }),
      ("no overhead", true, { $0.overheadNumerator = 8948 }),
      ("an overhead below 1", false, { $0.overheadNumerator = 8947 }),
      ("an overhead below 100", true, { $0.overheadNumerator = 894_799 }),
      ("an overhead of 100", false, { $0.overheadNumerator = 894_800 }),
      ("an overhead of nothing", false, { $0.overheadDenominator = 0 }),
      (
        "an overhead of all digits", true,
        { inputs in
          inputs.overheadNumerator = .max
          inputs.overheadDenominator = .max
        }
      ),
    ]
    for (what, isTaken, change) in changes {
      var inputs = InputSamples.rated
      change(&inputs)
      #expect((Self.inputs.problem(Self.inputs.encode(inputs)) == nil) == isTaken, "\(what)")
    }
    for contract in [0, 3] as [UInt8] {
      var bytes = InputSamples.ratedForm
      bytes[1] = contract
      #expect(Self.inputs.problem(bytes) == .unexpected(found: UInt64(contract)))
    }
  }
}
