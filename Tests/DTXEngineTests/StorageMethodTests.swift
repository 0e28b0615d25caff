import DTXCore
import DTXLinux
import Testing

@testable import DTXEngine

@Suite struct StorageMethodTests {
  private static let memory: Int64 = 0x0102_1994
  private static let ext4: Int64 = 0xEF53
  private static let network: Int64 = 0x6969

  private func method(_ mode: StorageMode, _ type: Int64?) -> StorageMethod {
    StorageMethod.choose(mode, fileSystemType: type)
  }

  @Test func memoryIsWrittenWhereTheBytesAre() {
    for mode in StorageMode.allCases {
      #expect(method(mode, Self.memory) == StorageMethod(mechanism: .inline, isDirect: false))
    }
  }

  @Test func aDiskIsWrittenByOthers() {
    #expect(method(.automatic, Self.ext4) == StorageMethod(mechanism: .pool, isDirect: true))
    #expect(method(.buffered, Self.ext4) == StorageMethod(mechanism: .pool, isDirect: false))
    #expect(method(.direct, Self.ext4) == StorageMethod(mechanism: .pool, isDirect: true))
  }

  @Test func whatIsNotKnownIsWrittenThroughTheCacheUnlessAskedFor() {
    for type in [Self.network, 1, nil] {
      #expect(method(.automatic, type) == StorageMethod(mechanism: .pool, isDirect: false))
      #expect(method(.direct, type) == StorageMethod(mechanism: .pool, isDirect: true))
    }
  }

  @Test func aRingIsTakenWhereItIsAskedForAndFilesAreOnADevice() {
    for type in [Self.ext4, Self.network, 1, nil] {
      #expect(method(.ring, type) == StorageMethod(mechanism: .ring, isDirect: true))
    }
  }
}
