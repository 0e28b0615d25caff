import Testing

extension EndToEndTests {
  /// What goes compressed, what does not, and what the report says of it.
  @Suite struct CompressionTests {
    @Test(arguments: ["push", "pull"])
    func whatALevelSavesIsInTheReport(_ command: String) throws {
      let site = try Site()
      try Self.make(site.place)
      let ending = try Self.move(site, command, ["--compress", "3", "--block-size", "1MiB"])
      #expect(ending.status == 0, "\(ending.messages)")
      // The two files of samples and what goes with them in a record; the random ones do not shrink.
      let plain = try ending.figure("bytes_compressed")
      let wire = try ending.figure("bytes_compressed_wire")
      #expect(plain >= 12 << 20)
      #expect(plain < 13 << 20)
      #expect(wire < plain / 2)
      #expect(wire > plain / 8)
      #expect(try #require(ending.lines.last).contains("\"compress\":\"3\""))
      try Trees.expectSame(site.place, "from", "to")
      // What is durable and verified is what was read, not what was sent.
      #expect(try ending.figure("bytes_durable") == (try ending.figure("bytes_wanted")))
      #expect(try site.run("verify", site.place("to")).status == 0)
    }

    @Test(arguments: ["push", "pull"])
    func aSlowLaneIsWorthIt(_ command: String) throws {
      let site = try Site()
      try Self.make(site.place)
      let options = ["--rate", "160M", "--lanes", "1", "--block-size", "1MiB"]
      let ending = try Self.move(site, command, options)
      #expect(ending.status == 0, "\(ending.messages)")
      #expect(try ending.figure("bytes_compressed") > 1 << 20)
      #expect(try #require(ending.lines.last).contains("\"compress\":\"auto\""))
      try Trees.expectSame(site.place, "from", "to")
    }

    @Test(arguments: [[], ["--compress", "off", "--rate", "800M"]])
    func whereItDoesNotPayNothingIsCompressed(_ options: [String]) throws {
      let site = try Site()
      try Self.make(site.place)
      let ending = try Self.move(site, "push", options)
      #expect(ending.status == 0, "\(ending.messages)")
      #expect(try ending.figure("bytes_compressed") == 0)
      #expect(try ending.figure("bytes_compressed_wire") == 0)
      try Trees.expectSame(site.place, "from", "to")
    }

    @Test(arguments: ["aes-256-gcm", "none"])
    func damageOnTheWayIsFoundAndTheBlockSentAgain(_ cipher: String) throws {
      let site = try Site()
      try Self.make(site.place)
      let proxy = try LaneProxy()
      defer { proxy.close() }
      proxy.damageAfterBytes(1 << 20)
      let options = ["--compress", "1", "--cipher", cipher, "--block-size", "1MiB"]
      let ending = try Self.move(site, "push", options + proxy.options)
      #expect(ending.status == 0, "\(ending.messages)")
      // Without a cipher a digest may be what finds it, in a record that was not compressed.
      let lost = try ending.figure("connections_lost")
      #expect(cipher == "none" ? lost <= 1 : lost == 1)
      #expect(try ending.figure("bytes_resent") > 0)
      #expect(try ending.figure("bytes_compressed") > 12 << 20)
      try Trees.expectSame(site.place, "from", "to")
    }

    /// Two files of samples that shrink, two that do not, and small ones.
    private static func make(_ place: Workplace) throws {
      try Trees.makeMixed(place, "from", largeByteCount: 3 << 20, smallCount: 20)
      for index in 0..<2 {
        let samples = Trees.content(6 << 20, seed: UInt64(index) + 50).enumerated()
          .map { $0.offset.isMultiple(of: 2) ? $0.element & 0x0F : 0 }
        try place.write("from/samples-\(index)", samples)
      }
    }

    private static func move(
      _ site: Site,
      _ command: String,
      _ options: [String]
    ) throws -> Run.Ending {
      let places =
        command == "push"
        ? [site.place("from/"), site.far("to")] : [site.far("from/"), site.place("to")]
      return try site.start(command, options + places).finish()
    }
  }
}
