# What mvtui's module makes of a NixOS configuration, without nixpkgs: of its other options only those stand here that
# the module sets or reads.
#
# nix-instantiate --eval --json --strict module.nix --argstr module FILE --argstr user 'JSON of programs.mvtui'
#   [--argstr microvm 'JSON of microvm'] [--argstr lib DIR of that name of nixpkgs]
{ module, user, microvm ? "", lib ? "" }:
let
  theLib = if lib == "" then (import ./lib.nix).lib else import (/. + lib);
  option = type: default: theLib.mkOption { inherit type default; };
  inherit (theLib) types;
  pkgs = {
    callPackage = _: _: package;
    formats.toml = _: {
      type = types.attrsOf types.anything;
      generate = name: value: { inherit name value; };
    };
  };
  package = {
    type = "derivation";
    name = "mvtui";
    outPath = "/nix/store/00000000000000000000000000000000-mvtui";
    drvPath = "/nix/store/00000000000000000000000000000000-mvtui.drv";
  };
  nixos = {
    options = {
      assertions = option (types.listOf types.anything) [ ];
      environment.systemPackages = option (types.listOf types.package) [ ];
      environment.etc = option (types.attrsOf types.anything) { };
      security.polkit.enable = option types.bool false;
      security.polkit.extraConfig = option types.str "";
      # As systemd's options: lists are joined.
      systemd.services = option (types.attrsOf (types.attrsOf (types.attrsOf (types.listOf types.str)))) { };
      systemd.tmpfiles.settings = option (types.attrsOf types.anything) { };
      users.groups = option (types.attrsOf types.anything) { };
    };
    config._module.args.pkgs = pkgs;
  };
  host = {
    options.microvm.host.enable = option types.bool true;
    options.microvm.stateDir = option types.str "/var/lib/microvms";
    config.microvm = builtins.fromJSON microvm;
  };
  person = { config.programs.mvtui = builtins.fromJSON user; };
  # microvm.nix has a command of its own there.
  other = {
    config.systemd.services."microvm@".serviceConfig.ExecStartPre = [ "own" ];
  };
  # The places of all options in a set of them.
  places =
    place: set:
    builtins.concatLists (
      map (
        name:
        if set.${name}._type or "" == "option" then [ "${place}.${name}" ] else places "${place}.${name}" set.${name}
      ) (builtins.attrNames set)
    );
  inherit (theLib.evalModules {
    modules = [ nixos (/. + module) person ] ++ (if microvm == "" then [ ] else [ host other ]);
  }) config options;
in
{
  options = places "programs.mvtui" options.programs.mvtui;
  failed = map (each: each.message) (builtins.filter (each: !each.assertion) config.assertions);
  installed = map (each: each.name) config.environment.systemPackages;
  etc = config.environment.etc;
  polkit = config.security.polkit;
  services = config.systemd.services;
  tmpfiles = config.systemd.tmpfiles.settings;
  groups = config.users.groups;
}
