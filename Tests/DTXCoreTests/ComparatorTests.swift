import DTXCore
import Testing

@Suite struct ComparatorTests {
  private let file = Entry(kind: .regular, parent: nil, mode: 0o644, modified: 5000, byteCount: 7)
  private let trusting = Comparator.Rules(comparesDigests: false, preservesOwner: false)

  private func existing(
    _ kind: EntryKind? = .regular,
    mode: UInt16 = 0o644,
    owner: UInt32 = 0,
    modified: Int64 = 5000,
    byteCount: UInt64 = 7,
    linkTarget: String = ""
  ) -> ExistingEntry {
    ExistingEntry(
      kind: kind,
      mode: mode,
      userID: owner,
      groupID: owner,
      modified: modified,
      byteCount: byteCount,
      linkTarget: Array(linkTarget.utf8)
    )
  }

  private func decide(
    _ entry: Entry,
    _ existing: ExistingEntry?,
    _ rules: Comparator.Rules? = nil,
    linkTarget: String = ""
  ) -> Comparator.Decision {
    Comparator.decide(
      entry,
      linkTarget: Array(linkTarget.utf8),
      existing: existing,
      rules: rules ?? trusting
    )
  }

  @Test("what is not there is created, whatever it is", arguments: EntryKind.allCases)
  func createsMissing(kind: EntryKind) {
    let entry = Entry(kind: kind, parent: nil, mode: 0o644, modified: 1)
    #expect(decide(entry, nil) == .create)
  }

  @Test("a file of the same length and time is kept")
  func keepsSame() {
    #expect(decide(file, existing()) == .keep(metadataDiffers: false))
    #expect(decide(file, existing(mode: 0o600)) == .keep(metadataDiffers: true))
  }

  @Test("another length or another time is another file")
  func replacesOther() {
    #expect(decide(file, existing(byteCount: 8)) == .replace)
    #expect(decide(file, existing(modified: 5001)) == .replace)
    #expect(decide(file, existing(modified: 4999)) == .replace)
  }

  @Test("with --checksum the same length and time prove nothing")
  func comparesDigests() {
    let rules = Comparator.Rules(comparesDigests: true, preservesOwner: false)
    #expect(decide(file, existing(), rules) == .compareDigests(metadataDiffers: false))
    #expect(decide(file, existing(byteCount: 8), rules) == .replace)
  }

  @Test("owners count only when they are to be kept")
  func comparesOwners() {
    #expect(decide(file, existing(owner: 1)) == .keep(metadataDiffers: false))
    let rules = Comparator.Rules(comparesDigests: false, preservesOwner: true)
    #expect(decide(file, existing(owner: 1), rules) == .keep(metadataDiffers: true))
  }

  @Test("a file system that keeps no nanoseconds is not asked for them")
  func respectsGranularity() {
    let rules = Comparator.Rules(
      comparesDigests: false,
      preservesOwner: false,
      timeGranularity: 1000
    )
    #expect(decide(file, existing(modified: 5999), rules) == .keep(metadataDiffers: false))
    #expect(decide(file, existing(modified: 6000), rules) == .replace)
    // Before 1970 times round down as well.
    #expect(Comparator.sameTime(-1, -1000, 1000))
    #expect(!Comparator.sameTime(-1, 0, 1000))
  }

  @Test("a symlink is its target")
  func comparesTargets() {
    let link = Entry(kind: .symlink, parent: nil, mode: 0o777, modified: 5000)
    let there = existing(.symlink, mode: 0o755, byteCount: 0, linkTarget: "x")
    #expect(decide(link, there, linkTarget: "x") == .keep(metadataDiffers: false))
    #expect(decide(link, there, linkTarget: "y") == .replace)
  }

  @Test("something of another kind is in the way, and never removed")
  func refusesOtherKinds() {
    let kinds: [EntryKind?] = EntryKind.allCases + [nil]
    for kind in EntryKind.allCases {
      let entry = Entry(kind: kind, parent: nil, mode: 0o644, modified: 5000)
      for other in kinds where other != kind {
        guard case .conflict(let reason) = decide(entry, existing(other)) else {
          Issue.record("\(kind) over \(String(describing: other))")
          continue
        }
        #expect(reason.contains(kind.name))
      }
    }
  }

  @Test("a directory is kept, and so is a fifo")
  func keepsDirectories() {
    for kind in [EntryKind.directory, .fifo] {
      let entry = Entry(kind: kind, parent: nil, mode: 0o755, modified: 5000)
      let there = existing(kind, mode: 0o755, modified: 1, byteCount: 4096)
      #expect(decide(entry, there) == .keep(metadataDiffers: true))
    }
  }
}
