# Dti as a service of Windows. Run as administrator, where `dotnet publish src/Dti.Cli -c Release -r win-x64 --self-contained -o C:\Program Files\Dti`
# has put the program. Starts with the machine, again after a crash, and as LocalService, which may write to its data folder alone.
#Requires -RunAsAdministrator
param(
    [string]$Program = "$env:ProgramFiles\Dti",
    [string]$Data = "$env:ProgramData\Dti"
)
$ErrorActionPreference = 'Stop'

if (-not (Test-Path "$Program\dti.exe")) { throw "There is no $Program\dti.exe." }
New-Item -ItemType Directory -Force $Data | Out-Null
if (-not (Test-Path "$Data\appsettings.json")) { '{ "Dti": {} }' | Set-Content "$Data\appsettings.json" -Encoding utf8 }
& icacls $Data /inheritance:r /grant 'SYSTEM:(OI)(CI)F' 'Administrators:(OI)(CI)F' 'LOCAL SERVICE:(OI)(CI)M' | Out-Null

& sc.exe create Dti start= auto obj= 'NT AUTHORITY\LocalService' DisplayName= 'Dti' `
    binPath= "`"$Program\dti.exe`" serve --data `"$Data`" --config `"$Data\appsettings.json`"" | Out-Null
if ($LASTEXITCODE -ne 0) { throw "The service could not be made (sc.exe: $LASTEXITCODE)." }
& sc.exe description Dti 'Teaches Stable Diffusion things from photos.' | Out-Null
& sc.exe failure Dti reset= 86400 actions= restart/5000/restart/5000/restart/60000 | Out-Null
Start-Service Dti
Write-Output "Dti runs. Its log is in the event viewer; '$Program\dti.exe doctor --ready' asks whether it is ready."
