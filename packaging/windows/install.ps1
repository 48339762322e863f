# Dti as a service of Windows. Run as administrator, where
#     dotnet publish src/Dti.Cli -c Release -r win-x64 --self-contained -o "C:\Program Files\Dti"
# has put the program. The service starts with the machine, again after a crash, and as LocalService, which may write to its
# data folder alone. `install.ps1 -Uninstall` removes the service and leaves the program, its settings and concepts.
#Requires -RunAsAdministrator
param(
    [string]$Program = "$env:ProgramFiles\Dti",
    [string]$Data = "$env:ProgramData\Dti",
    [switch]$Uninstall
)
$ErrorActionPreference = 'Stop'

if ($Uninstall) {
    if (-not (Get-Service -Name 'Dti' -ErrorAction SilentlyContinue)) { throw 'There is no service Dti.' }
    Stop-Service -Name 'Dti'
    # Remove-Service came with PowerShell 6.
    & sc.exe delete 'Dti' | Out-Null
    if ($LASTEXITCODE -ne 0) { throw "The service could not be removed (sc.exe: $LASTEXITCODE)." }
    Write-Output "The service is removed. Delete '$Program' and '$Data' to remove the program, its settings and all concepts."
    return
}

if (-not (Test-Path -LiteralPath "$Program\dti.exe")) { throw "There is no '$Program\dti.exe'." }
New-Item -ItemType Directory -Force -Path "$Data" | Out-Null
if (-not (Test-Path -LiteralPath "$Data\appsettings.json")) {
    '{ "Dti": {} }' | Set-Content -LiteralPath "$Data\appsettings.json" -Encoding utf8
}
# The system, administrators, LocalService, by number: their names are in Windows' language.
& icacls.exe "$Data" /inheritance:r /grant '*S-1-5-18:(OI)(CI)F' '*S-1-5-32-544:(OI)(CI)F' '*S-1-5-19:(OI)(CI)M' | Out-Null
if ($LASTEXITCODE -ne 0) { throw "The rights on '$Data' could not be set (icacls.exe: $LASTEXITCODE)." }

# Not by sc.exe, to which Windows PowerShell 5.1 gives no quotes within an argument.
New-Service -Name 'Dti' -DisplayName 'Dti' -Description 'Teaches Stable Diffusion things from photos.' -StartupType Automatic `
    -BinaryPathName "`"$Program\dti.exe`" serve --data `"$Data`" --config `"$Data\appsettings.json`"" | Out-Null
& sc.exe config 'Dti' obj= 'NT AUTHORITY\LocalService' | Out-Null
if ($LASTEXITCODE -ne 0) {
    $code = $LASTEXITCODE
    & sc.exe delete 'Dti' | Out-Null
    throw "The service could not be given to LocalService (sc.exe: $code)."
}
& sc.exe failure 'Dti' reset= 86400 actions= restart/5000/restart/5000/restart/60000 | Out-Null
Start-Service -Name 'Dti'
Write-Output "Dti runs. Its log is in the event viewer; & '$Program\dti.exe' doctor --ready asks whether it is ready."
