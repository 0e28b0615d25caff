import DTXLinux
import Testing

extension EndToEndTests {
  /// Receipts of real transfers, and what is left of them when a byte changes.
  @Suite struct ReceiptTests {
    @Test("both ends keep a receipt that verifies", arguments: ["push", "pull"])
    func verifies(_ command: String) throws {
      let site = try Site()
      let ending = try transfer(site, command)
      #expect(ending.lines.contains { $0.contains("\"sender_signed\":true") })
      #expect(ending.lines.contains { $0.contains("\"receiver_signed\":true") })
      #expect(ending.lines.contains { $0.contains("\"mean_permille\":") })
      let keys = ["--key", site.place("near-config/dtx/identity.pub")]
      let farKeys = ["--key", site.place("far-config/dtx/identity.pub")]
      let to = site.place("to")
      let verified = try site.start("receipt", ["verify", to, to] + keys + farKeys).finish()
      #expect(verified.status == 0, "\(verified.messages)")
      #expect(verified.lines.last == "verdict   good: the receipt, the manifest, the tree")
      let page = site.place("report.html")
      #expect(try site.start("report", [to, "-o", page]).finish().status == 0)
      #expect(try site.place.text("report.html").contains("<b>Signed</b>"))

      let sent = site.place(command == "push" ? "near-state" : "far-state") + "/dtx/sent"
      let copy = try Tool.shell("ls \(sent)/*.receipt").trimmed
      let kept = try Tool.run("cat", copy).output
      #expect(kept == (try Tool.shell("cat \(to)/.dtx/*/receipt")))
      let other = try site.start("receipt", ["verify", copy] + keys).finish()
      #expect(other.status == 3)
      #expect(other.lines.contains { $0.contains("a key that is none of those named") })
    }

    @Test("one byte changed in receipt, manifest or tree is found, and it is said where")
    func findsChanges() throws {
      let site = try Site()
      _ = try transfer(site, "push")
      let to = site.place("to")
      let state = try Tool.shell("ls -d \(to)/.dtx/*/").trimmed
      let length = try site.place.read(below(site, state + "receipt")).count
      let seed = Dice.freshSeed()
      var dice = Dice(seed: seed)
      let places: [(file: String, offset: Int, what: String)] = [
        (state + "receipt", 8, "the receipt"),
        (state + "receipt", Int(dice.next() % UInt64(length)), "the receipt"),
        (state + "receipt", length - 1, "the receipt"),
        (state + "manifest", 100, "the manifest"),
        (to + "/large-0", 5 << 20, "the tree"),
      ]
      for (file, offset, what) in places {
        let name = below(site, file)
        let whole = try site.place.read(name)
        var changed = whole
        changed[offset] ^= 0x10
        try site.place.write(name, changed)
        let found = try site.start("receipt", ["verify", to, to]).finish()
        #expect(found.status == 3, "\(what), byte \(offset); DTX_TEST_SEED=\(seed)")
        let isNamed =
          found.lines.last == "verdict   not good: \(what)"
          || what == "the receipt" && found.messages.contains("receipt \(file) cannot be used")
        #expect(isNamed, "\(what), byte \(offset): \(found.lines) \(found.messages)")
        try site.place.write(name, whole)
      }
      #expect(try site.start("receipt", ["verify", to]).finish().status == 0)
    }

    @Test("an end that cannot sign transfers all the same, and says so")
    func transfersWithoutKeys() throws {
      let site = try Site()
      try site.place.write("near-config", "no directory")
      let ending = try transfer(site, "push")
      #expect(ending.lines.contains { $0.contains("this end did not sign the receipt") })
      #expect(ending.lines.contains { $0.contains("\"sender_signed\":false") })
      let to = site.place("to")
      let verified = try site.start("receipt", ["verify", to, to]).finish()
      #expect(verified.status == 3)
      #expect(verified.lines.contains("sender    did not sign it"))
      #expect(verified.lines.last == "verdict   not good: the receipt")
    }

    @Test("a key that others can read signs nothing")
    func distrustsOpenKeys() throws {
      let site = try Site()
      try Trees.makeMixed(site.place, "from", largeByteCount: 1 << 20, smallCount: 2)
      #expect(try push(site, "to").status == 0)
      #expect(try Tool.run("chmod", "0644", site.place("near-config/dtx/identity")).status == 0)
      let ending = try push(site, "again")
      #expect(ending.status == 0)
      #expect(ending.lines.contains { $0.contains("or others than you can read it") })
    }

    private func transfer(_ site: Site, _ command: String) throws -> Run.Ending {
      try Trees.makeMixed(site.place, "from", largeByteCount: 24 << 20, smallCount: 20)
      let places =
        command == "push"
        ? [site.place("from/"), site.far("to")] : [site.far("from/"), site.place("to")]
      // Some seconds, so that there are whole ones.
      let ending = try site.start(command, ["--rate", "60M", "--lanes", "2"] + places).finish()
      #expect(ending.status == 0, "\(ending.messages)")
      return ending
    }

    private func push(_ site: Site, _ name: String) throws -> Run.Ending {
      try site.run("push", site.place("from/"), site.far(name))
    }

    /// A path without the workplace's own.
    private func below(_ site: Site, _ path: String) -> String {
      String(path.dropFirst(site.place("").count))
    }
  }
}

extension String {
  /// Its words, without a line's end.
  fileprivate var trimmed: String {
    split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }
}
