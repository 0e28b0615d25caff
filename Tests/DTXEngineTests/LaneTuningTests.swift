import DTXCore
import DTXLinux
import Testing

@testable import DTXEngine

/// What the kernel takes of a lane's settings, on real sockets of this machine.
@Suite struct LaneTuningTests {
  /// Two ends of a connection over loopback, the nearer one bound as the tuning has it.
  private struct Pair {
    let near: Socket
    let far: Socket

    init(_ tuning: LaneTuning = LaneTuning(), host: String = "127.0.0.1") throws {
      let any = try #require(SocketAddress(numericHost: host, port: 0))
      let listener = try Socket.listen(any)
      near = try Socket.connect(
        to: listener.localAddress,
        from: tuning.source,
        interface: tuning.interface,
        timeoutNanoseconds: 5_000_000_000,
        preparing: { socket throws(SystemError) in try tuning.apply(to: socket) }
      )
      far = try #require(try listener.accept())
    }
  }

  @Test(arguments: ["127.0.0.1", "::1"], 0...63 as ClosedRange<UInt8>)
  func everyMarkIsTakenByBothFamilies(_ host: String, _ mark: UInt8) throws {
    let tuning = LaneTuning(settings: LaneSettings(codePoint: CodePoint(value: mark)))
    try tuning.rehearse()
    let pair = try Pair(tuning, host: host)
    #expect(try tuning.taken(by: pair.near, pacedAt: nil).codePoint.value == mark)
    // The end that accepts is marked once it is known which lane it belongs to.
    try tuning.apply(to: pair.far)
    #expect(try tuning.taken(by: pair.far, pacedAt: nil).codePoint.value == mark)
  }

  @Test func whatWasAskedForIsReadBack() throws {
    var tuning = LaneTuning(isSender: true, connectionCount: 2)
    tuning.settings = LaneSettings(
      congestionControl: "reno",
      pacedRate: Rate(bitsPerSecond: 1_000_000_000),
      layer: .l3
    )
    tuning.source = SocketAddress(numericHost: "127.0.0.9", port: 0)
    tuning.interface = "lo"
    try tuning.rehearse()
    let pair = try Pair(tuning)
    let asked = try tuning.pace(pair.near)
    let taken = try tuning.taken(by: pair.near, pacedAt: asked)
    #expect(taken.congestionControl == "reno")
    let shape = try #require(SegmentShape(of: pair.near))
    #expect(UInt64(taken.segmentByteCount) == shape.segmentByteCount)
    #expect(taken.pathMTU > taken.segmentByteCount)
    // Half of the rate, IP's and TCP's 52 bytes a segment less.
    let share = Rate(bitsPerSecond: 500_000_000)
    let payload = shape.payload(of: share, counting: .l3).bitsPerSecond / 8
    #expect(taken.pacedBytesPerSecond == payload)
    #expect(try pair.near.maxPacingRate() == payload)
    #expect(try pair.near.localAddress.host == "127.0.0.9")
    #expect(try pair.near.boundInterface() == "lo")
  }

  @Test func theReceiverSetsTheMarkAlone() throws {
    var tuning = LaneTuning()
    tuning.settings = LaneSettings(
      codePoint: CodePoint("ef"),
      congestionControl: "nonesuch",
      pacedRate: Rate(bitsPerSecond: 1_000_000)
    )
    try tuning.rehearse()
    let pair = try Pair(tuning)
    let asked = try tuning.pace(pair.near)
    let taken = try tuning.taken(by: pair.near, pacedAt: asked)
    #expect(taken.codePoint.description == "ef")
    #expect(taken.pacedBytesPerSecond == nil)
    #expect(try pair.near.maxPacingRate() == .max)
  }

  @Test func aSettingThatDidNotTakeIsNamed() throws {
    var tuning = LaneTuning(isSender: true)
    tuning.settings.congestionControl = "nonesuch"
    expectRefusal("the congestion control nonesuch", "ENOENT") {
      () throws(LaneTuning.Refusal) in try tuning.rehearse()
    }
    tuning = LaneTuning(source: SocketAddress(numericHost: "192.0.2.7", port: 0))
    expectRefusal("the binding to 192.0.2.7", "EADDRNOTAVAIL") {
      () throws(LaneTuning.Refusal) in try tuning.rehearse()
    }
    tuning = LaneTuning(interface: "dtx-none0")
    expectRefusal("the binding to dtx-none0", "ENODEV") {
      () throws(LaneTuning.Refusal) in try tuning.rehearse()
    }
  }

  @Test func aSettingThatSomebodyTookBackIsNamed() throws {
    var tuning = LaneTuning(isSender: true)
    tuning.settings = LaneSettings(
      codePoint: CodePoint("ef"),
      congestionControl: "reno",
      pacedRate: Rate(bitsPerSecond: 1_000_000)
    )
    let pair = try Pair(tuning)
    let asked = try tuning.pace(pair.near)
    _ = try tuning.taken(by: pair.near, pacedAt: asked)
    try pair.near.setMaxPacingRate(bytesPerSecond: 7)
    expectRefusal("the rate", "it holds 7 bytes per second") {
      () throws(LaneTuning.Refusal) in _ = try tuning.taken(by: pair.near, pacedAt: asked)
    }
    try pair.near.setCongestionControl("cubic")
    expectRefusal("the congestion control reno", "the kernel has cubic") {
      () throws(LaneTuning.Refusal) in _ = try tuning.taken(by: pair.near, pacedAt: asked)
    }
    try pair.near.setTypeOfService(0)
    expectRefusal("the mark ef", "the kernel marks with cs0") {
      () throws(LaneTuning.Refusal) in _ = try tuning.taken(by: pair.near, pacedAt: asked)
    }
    tuning.settings = LaneSettings()
    tuning.source = SocketAddress(numericHost: "127.0.0.9", port: 0)
    expectRefusal("the binding to 127.0.0.9", "the connection has 127.0.0.1 here") {
      () throws(LaneTuning.Refusal) in _ = try tuning.taken(by: pair.near, pacedAt: asked)
    }
  }

  @Test func bytesThatStayOnTheHostNeedNoBurst() throws {
    let pair = try Pair()
    #expect(FullSizeBurst(over: pair.near) == nil)
    let (end, _) = try Socket.pair()
    #expect(FullSizeBurst(over: end) == nil)
  }

  private func expectRefusal(
    _ setting: String,
    _ cause: String,
    _ location: SourceLocation = #_sourceLocation,
    by body: () throws(LaneTuning.Refusal) -> Void
  ) {
    do throws(LaneTuning.Refusal) {
      try body()
      Issue.record("it was taken", sourceLocation: location)
    } catch {
      #expect(error.setting == setting, sourceLocation: location)
      #expect(error.cause.contains(cause), "\(error.cause)", sourceLocation: location)
    }
  }
}
