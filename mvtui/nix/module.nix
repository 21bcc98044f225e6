# programs.mvtui of a NixOS host.
{
  config,
  lib,
  options,
  pkgs,
  ...
}:
let
  cfg = config.programs.mvtui;
  toml = pkgs.formats.toml { };
  # Whether the host module of microvm.nix is there, with its units.
  isHost = options ? microvm && options.microvm ? host && config.microvm.host.enable;
  defaultStateDir = "/var/lib/microvms";
  stateDir = if isHost then config.microvm.stateDir else defaultStateDir;
  # Read by systemd: % is its own, and a path may have blanks.
  stateDirOption = lib.optionalString (
    stateDir != defaultStateDir
  ) ''--state-dir "${lib.replaceStrings [ "%" ] [ "%%" ] stateDir}" '';
in
{
  options.programs.mvtui = {
    enable = lib.mkEnableOption "mvtui, a control panel in the terminal for the microVMs of this host";

    package = lib.mkOption {
      type = lib.types.package;
      default = pkgs.callPackage ./package.nix { };
      defaultText = lib.literalExpression "pkgs.callPackage ./package.nix { }";
      description = "The mvtui that is installed.";
    };

    settings = lib.mkOption {
      type = lib.types.submodule { freeformType = toml.type; };
      default = { };
      example = {
        definitions = "/etc/nixos/microvms";
        theme = "light";
        keys.stop = [ "X" ];
      };
      description = ''
        What /etc/mvtui/config.toml says; a person's own ~/.config/mvtui/config.toml counts more. `mvtui config`
        shows every option.
      '';
    };

    group = lib.mkOption {
      type = lib.types.nullOr (lib.types.strMatching "[a-z_][a-z0-9_-]*");
      default = null;
      example = "microvm-operators";
      description = ''
        A group whose members start, stop, restart and kill microVMs without a password: a polkit rule for the units
        microvm@NAME.service and microvm-virtiofsd@NAME.service. virtiofsd runs as root what stands in the state
        directory, so nobody in it should also be in kvm, which may write there.
      '';
    };

    armedResets = {
      enable = lib.mkOption {
        type = lib.types.bool;
        default = true;
        description = ''
          Whether what `mvtui arm` asks for happens at every start of a microVM, whoever starts it, also after a
          reboot of the host.
        '';
      };
      strict = lib.mkOption {
        type = lib.types.bool;
        default = false;
        description = "Whether a microVM whose armed reset fails does not start.";
      };
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        # Else whoever is in the group could start a transient unit of that name, with any command, as root.
        assertion = cfg.group != null -> isHost;
        message = "programs.mvtui.group takes the host module of microvm.nix (microvm.host.enable): the rule is for its units.";
      }
      {
        assertion = cfg.group != "kvm";
        message = "programs.mvtui.group can't be kvm, which may write what virtiofsd runs as root.";
      }
    ];

    environment.systemPackages = [ cfg.package ];
    environment.etc."mvtui/config.toml" = lib.mkIf (cfg.settings != { }) {
      source = toml.generate "mvtui-config.toml" cfg.settings;
    };
    programs.mvtui.settings = lib.mkIf (stateDir != defaultStateDir) {
      state_dir = lib.mkDefault stateDir;
    };

    systemd.tmpfiles.settings."10-mvtui" = {
      "/var/lib/mvtui".d = {
        user = "root";
        group = "root";
        mode = "0755";
      };
    }
    // lib.optionalAttrs (cfg.settings ? definitions) {
      # ":" leaves what is there as it is.
      ${cfg.settings.definitions}.d = {
        user = ":root";
        group = ":root";
        mode = ":0755";
      };
    };

    users.groups = lib.mkIf (cfg.group != null) { ${cfg.group} = { }; };
    security.polkit = lib.mkIf (cfg.group != null) {
      enable = true;
      extraConfig = lib.replaceStrings [ "@group@" ] [ cfg.group ] (
        builtins.readFile ./manage-microvms.rules
      );
    };

    # A list, which is joined with what else stands there. The path stays the same when mvtui is updated, so that no
    # microVM is restarted for that.
    systemd.services = lib.mkIf (isHost && cfg.armedResets.enable) {
      "microvm@".serviceConfig.ExecStartPre = [
        (
          (if cfg.armedResets.strict then "+" else "-+")
          + "/run/current-system/sw/bin/mvtui reset --if-armed "
          + lib.optionalString cfg.armedResets.strict "--strict "
          + "${stateDirOption}-- %i"
        )
      ];
    };
  };
}
