// swift-tools-version: 6.2
import PackageDescription

/// Imports are the architecture: what a file does not import, it cannot use.
let house: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

/// The rooms that decide have no use for a pointer, and may not name one without saying `unsafe`.
let pure: [SwiftSetting] = house + [.strictMemorySafety()]

let package = Package(
  name: "dtx",
  targets: [
    .target(name: "CXXHash"),
    // The archives, so that the binary runs where these libraries are not installed.
    .target(name: "CLiburing", linkerSettings: [.linkedLibrary(":liburing.a")]),
    .target(name: "DTXCore", dependencies: ["CXXHash"], swiftSettings: pure),
    .target(name: "DTXLinux", dependencies: ["CLiburing"], swiftSettings: house),
    .target(name: "DTXSimulator", dependencies: ["DTXCore"], swiftSettings: pure),
    .testTarget(name: "DTXCoreTests", dependencies: ["DTXCore"], swiftSettings: house),
    .testTarget(name: "DTXLinuxTests", dependencies: ["DTXLinux"], swiftSettings: house),
    .testTarget(
      name: "DTXSimulatorTests",
      dependencies: ["DTXSimulator", "DTXCore"],
      swiftSettings: house
    ),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu11
)
