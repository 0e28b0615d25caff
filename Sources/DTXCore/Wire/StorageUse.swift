/// How an end reached its files, for the report of both.
package struct StorageUse: Equatable, Sendable {
  package var access: StorageAccess
  package var mechanism: StorageMechanism

  package init(access: StorageAccess, mechanism: StorageMechanism) {
    self.access = access
    self.mechanism = mechanism
  }
}

/// Whether files are reached through the page cache; what does more comes later.
package enum StorageAccess: UInt8, Sendable, CaseIterable {
  case buffered = 1
  case direct = 2

  package var name: String {
    switch self {
    case .buffered: "buffered"
    case .direct: "direct"
    }
  }
}

/// Who reads and writes files; what does more comes later.
package enum StorageMechanism: UInt8, Sendable, CaseIterable {
  /// The connections' own threads, because no call on a file ever waits for a device.
  case inline = 1
  /// A bounded pool of threads, by system calls.
  case pool = 2
  /// A ring (io_uring) a connection for what goes past the page cache, and the pool for all else.
  case plainRing = 3
  /// The same, whose buffers the kernel holds.
  case ring = 4

  package var name: String {
    switch self {
    case .inline: "inline"
    case .pool: "pool"
    case .plainRing: "plain-ring"
    case .ring: "ring"
    }
  }
}
