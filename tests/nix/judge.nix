# What the modules of microvm.nix say of a definition file, without a Nix store, nixpkgs or network: nothing is built.
#
# nix-instantiate --eval --json --strict judge.nix --argstr lib DIR --argstr microvm DIR --argstr toml FILE [--argstr hypervisor H]
# gives {"failed": [the messages of assertions that do not hold], "warnings": […]}, or fails as an evaluation does. With
# --argstr runner yes it also gives what is built: {"runner": the script that makes it, "mounts": the guest's}. Where that
# names a file that is written, the text stands in its place, between \u0001NAME\u0002 and \u0003.
{ lib, microvm, toml, hypervisor ? "", runner ? "" }@args:
let
  lib = import (/. + args.lib);

  # Of nixpkgs' packages the modules want names and paths.
  path = name: {
    inherit name;
    type = "derivation";
    outPath = "/nix/store/00000000000000000000000000000000-${name}";
    drvPath = "/nix/store/00000000000000000000000000000000-${name}.drv";
  };
  package = name: path name // {
    version = "6.12";
    configureFlags = [ "--enable-seccomp" ];
    meta.mainProgram = name;
    passthru = { };
    override = _: package name;
    overrideAttrs = _: package name;
    out = path name;
    dev = path name;
  };
  # The store refuses other names when it builds.
  named = name:
    if builtins.match "[a-zA-Z0-9+_?=-][a-zA-Z0-9+._?=-]*" name == null || builtins.stringLength name > 211
    then throw "The name '${name}' is no name of a store path"
    else name;
  # Whoever takes the path takes the text.
  written = name: text: path name // {
    outPath = builtins.seq (builtins.stringLength text)
      (if runner == "" then (path (named name)).outPath else "${mark.name}${named name}${mark.text}${text}${mark.end}");
  };
  mark = builtins.fromJSON ''{"name": "\u0001", "text": "\u0002", "end": "\u0003"}'';
  pkgs = {
    _type = "pkgs";
    inherit lib;
    system = "x86_64-linux";
    stdenv.hostPlatform = {
      system = "x86_64-linux";
      isLinux = true; isDarwin = false; isx86_64 = true; isAarch64 = false;
      linux-kernel.target = "bzImage";
    };
    stdenv.targetPlatform = pkgs.stdenv.hostPlatform;
    buildPackages = pkgs;
    writeShellScript = written;
    writeText = written;
    writers.writeJSON = name: value: written name (builtins.toJSON value);
    writers.writePython3 = name: _: text: written name (toString text);
    formats.json = _: { generate = name: value: written name (builtins.toJSON value); };
    replaceVars = file: values: written (baseNameOf file) (builtins.toJSON values);
    runCommand = name: env: text: written name text // { passthru = env.passthru or { }; };
    runCommandLocal = name: env: text: pkgs.runCommand name env text // { inherit (path (named name)) outPath; };
    closureInfo = _: package "closure-info";
    writeClosure = _: package "closure";
    python3Packages.supervisor = package "supervisor";
    qemu_kvm = package "qemu";
  } // lib.genAttrs [
    "alioth" "bash" "bubblewrap" "btrfs-progs" "cloud-hypervisor" "cloud-hypervisor-graphics" "coreutils"
    "coreutils-full" "crosvm" "curl" "dosfstools" "e2fsprogs" "erofs-utils" "expect" "firecracker" "gawk" "gnused" "iproute2"
    "jq" "kmod" "kvmtool" "libguestfs" "libguestfs-appliance" "libusb1" "netcat" "parted" "python3" "qemu" "socat"
    "squashfs-tools-ng" "stratovirt" "systemd" "time" "util-linux" "vfkit" "virtiofsd" "xfsprogs"
  ] package;

  # The options of NixOS that the modules read or set. Those of microvm.* are the modules' own.
  option = type: default: lib.mkOption { inherit type default; };
  anything = option lib.types.anything { };
  lists = lib.types.listOf lib.types.anything;
  freeform = options: lib.mkOption {
    default = { };
    type = lib.types.submodule { freeformType = lib.types.lazyAttrsOf lib.types.anything; inherit options; };
  };
  # As nixpkgs has them: nixos/modules/tasks/filesystems.nix and filesystems/overlayfs.nix.
  nonEmpty = lib.types.addCheck lib.types.str (text: builtins.match "[ \t\n]*" text == null);
  noSlash = lib.types.addCheck nonEmpty (text: builtins.match ".+/" text == null);
  fileSystem = { name, config, ... }: {
    options = {
      mountPoint = option noSlash name;
      device = option (lib.types.nullOr nonEmpty) null;
      fsType = option nonEmpty "auto";
      options = option (lib.types.nonEmptyListOf nonEmpty) [ "defaults" ];
      depends = option (lib.types.listOf noSlash) [ ];
      neededForBoot = option lib.types.bool false;
      noCheck = option lib.types.bool false;
      overlay = option lib.types.anything { };
    };
    config = lib.mkIf (config.overlay ? lowerdir) {
      fsType = "overlay";
      device = lib.mkDefault "overlay";
      depends = config.overlay.lowerdir ++ [ config.overlay.upperdir config.overlay.workdir ];
      options = [ "lowerdir=${toString config.overlay.lowerdir}" ];
    };
  };
  # nixos/lib/utils.nix
  before = a: b:
    let
      slashed = path: if lib.hasSuffix "/" path then path else "${path}/";
      inside = lib.hasPrefix (slashed a.mountPoint);
    in inside (slashed (toString b.device)) || inside (slashed b.mountPoint) || lib.any (path: inside (slashed path)) b.depends;
  nixos = { config, ... }: {
    options = {
      assertions = option lists [ ];
      warnings = option (lib.types.listOf lib.types.str) [ ];
      networking.hostName = option lib.types.str "web";
      networking.hostId = option (lib.types.nullOr lib.types.str) null;
      networking.useNetworkd = option lib.types.bool false;
      nix.enable = option lib.types.bool true;
      nix.package = option lib.types.anything (package "nix");
      nix.optimise.automatic = option lib.types.bool false;
      nix.settings.auto-optimise-store = option lib.types.bool false;
      services.openssh.enable = option lib.types.bool false;
      boot = freeform {
        kernelParams = option lists [ ];
        kernelModules = option lists [ ];
        blacklistedKernelModules = option lists [ ];
        initrd = freeform { kernelModules = option lists [ ]; availableKernelModules = option lists [ ]; };
      };
      systemd = freeform { mounts = option lists [ ]; };
      environment = freeform { systemPackages = option lists [ ]; };
      nixpkgs = freeform { overlays = option lists [ ]; };
      system = anything; security = anything; users = anything; documentation = anything; virtualisation = anything;
      programs = anything;
      fileSystems = option (lib.types.attrsOf (lib.types.submodule fileSystem)) { };
    };
    config = {
      _module.args = { inherit pkgs; };
      boot.kernelPackages.kernel = package "linux";
      boot.initrd.systemd.enable = lib.mkDefault true;
      system.build.initialRamdisk = package "initrd";
      system.build.toplevel = package "nixos-system";
      system.boot.loader.initrdFile = "initrd";
      system.boot.loader.kernelFile = "bzImage";
      system.nixos.label = "judged";
      system.switch.enable = false;
      security.virtualisation.flushL1DataCache = null;
      assertions = [ {
        assertion = ! (lib.toposort before (lib.attrValues config.fileSystems) ? cycle);
        message = "The ‘fileSystems’ option can't be topologically sorted";
      } ];
    };
  };

  document = lib.importTOML (/. + toml);
  definition = { microvm = document; };
  command = lib.optionalAttrs (hypervisor != "") { microvm.hypervisor = lib.mkForce hypervisor; };
  inherit (lib.evalModules {
    modules = [ nixos (/. + "${microvm}/nixos-modules/microvm") definition command ];
  }) config options;

  # Every option is looked at, also one that this evaluation would not read. What has no default may be left out where
  # nobody asks for it.
  without = names: set: builtins.removeAttrs set names;
  given = raw: names: set: without (lib.filter (name: ! raw ? ${name}) names) set;
  zip = key: of: lib.imap0 (index: of (lib.elemAt document.${key} index)) config.microvm.${key};
  types = {
    shares = config.microvm.shares;
    volumes = zip "volumes" (raw: volume: given raw (lib.optional (!volume.autoCreate) "size") volume);
    interfaces = zip "interfaces" (raw: interface:
      interface // { macvtap = given (raw.macvtap or { }) [ "link" "mode" ] interface.macvtap; });
    rest = given document [
      "binScripts" "bootDisk" "declaredRunner" "deploy" "initrdPath" "kernel" "runner" "storeDisk" "storeDiskType"
      "vmHostPackages"
    ] (without [ "shares" "volumes" "interfaces" "balloonMem" ] config.microvm);
  };
in
builtins.deepSeq types (let
  failed = map (each: lib.trim each.message) (lib.filter (each: !each.assertion) config.assertions);
in {
  inherit failed;
  warnings = map lib.trim config.warnings;
  # What is built of it: the runner, all of its scripts, and the guest's mounts. Of what fails an assertion nothing is.
  built = failed == [ ] && builtins.seq (builtins.deepSeq config.fileSystems config.microvm.declaredRunner.outPath) true;
} // lib.optionalAttrs (runner != "") {
  runner = config.microvm.declaredRunner.outPath;
  mounts = map (each: { inherit (each) mountPoint device fsType options overlay; }) (lib.attrValues config.fileSystems);
})
