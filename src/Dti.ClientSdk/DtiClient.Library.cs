using Dti.ClientSdk.Internal;
using Dti.ClientSdk.Internal.Photos;
using Grpc.Core;

namespace Dti.ClientSdk;

public sealed partial class DtiClient
{
    // grpc.health.v1.Health/Check: an empty request, one enum in answer.
    private static readonly Marshaller<byte[]> _bytes = new(bytes => bytes, bytes => bytes);
    private static readonly Method<byte[], byte[]> _healthCheck = new(
        MethodType.Unary,
        "grpc.health.v1.Health",
        "Check",
        _bytes,
        _bytes
    );

    /// <summary>The concepts in the library, by name, without thumbnails.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="DtiClientException">The server cannot be reached.</exception>
    public async Task<IReadOnlyList<Concept>> ListConceptsAsync(CancellationToken cancellationToken = default)
    {
        var (all, token) = (new List<Concept>(), "");
        do
        {
            var call = _services.Concepts.ListAsync(
                new V1.ConceptServiceListRequest { PageToken = token },
                Unary(cancellationToken)
            );
            var page = await UnaryAsync(call, cancellationToken).ConfigureAwait(false);
            all.AddRange(page.Concepts.Select(FromProto.Concept));
            token = page.NextPageToken;
        } while (token.Length > 0);
        return all;
    }

    /// <summary>One concept.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="DtiClientException"><c>NotFound</c>: there is none; the message lists close names.</exception>
    public async Task<Concept> GetConceptAsync(string name, CancellationToken cancellationToken = default)
    {
        var call = _services.Concepts.GetAsync(
            new V1.ConceptServiceGetRequest { Name = name },
            Unary(cancellationToken)
        );
        return FromProto.Concept((await UnaryAsync(call, cancellationToken).ConfigureAwait(false)).Concept);
    }

    /// <summary>What a concept's vectors are, compared with the vocabulary of a model.</summary>
    /// <param name="name">The concept's name.</param>
    /// <param name="model">The model to compare with; null: the one it was learnt with, else the server's default
    /// model.</param>
    /// <param name="nearest">Near tokens to name for each vector, 1 to 100.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="DtiClientException"><c>NotFound</c>: no such concept or model. <c>FailedPrecondition</c>: they
    /// do not go together.</exception>
    public async Task<ConceptInspection> InspectConceptAsync(
        string name,
        string? model = null,
        int nearest = 8,
        CancellationToken cancellationToken = default
    )
    {
        var request = new V1.ConceptServiceInspectRequest { Name = name, NumNearest = nearest };
        if (model is not null)
            request.Model = model;
        var call = _services.Concepts.InspectAsync(request, Unary(cancellationToken));
        return FromProto.Inspection(await UnaryAsync(call, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Takes a learnt embedding into the library.</summary>
    /// <param name="name">Name in the library.</param>
    /// <param name="data">A safetensors file: diffusers' <c>learned_embeds.safetensors</c> or A1111's and ComfyUI's
    /// <c>emb_params</c>.</param>
    /// <param name="overwrite">Replace a concept of the same name.</param>
    /// <param name="rescale">Give each vector the mean norm of the vocabulary of the model, as DTI does; otherwise
    /// norms are kept.</param>
    /// <param name="model">A model that it has to fit; null: one of the server's that it fits.</param>
    /// <param name="secondData">The file of the second text encoder, where each has one of its own
    /// (<c>learned_embeds_2.safetensors</c>, for SDXL); empty: none.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="DtiClientException">
    /// <c>AlreadyExists</c>; <c>InvalidArgument</c> for a name or file that is none; <c>FailedPrecondition</c> where it
    /// does not fit the model.
    /// </exception>
    public async Task<Concept> ImportConceptAsync(
        string name,
        ReadOnlyMemory<byte> data,
        bool overwrite = false,
        bool rescale = false,
        string? model = null,
        ReadOnlyMemory<byte> secondData = default,
        CancellationToken cancellationToken = default
    )
    {
        if (Math.Max(data.Length, secondData.Length) is var largest && largest > PhotoShares.Limit)
            throw TooLarge(largest == data.Length ? "data" : "second_data", largest);
        var request = new V1.ConceptServiceImportRequest
        {
            Name = name,
            Data = ToProto.Bytes(data),
            SecondData = ToProto.Bytes(secondData),
            Overwrite = overwrite,
            Rescale = rescale,
        };
        if (model is not null)
            request.Model = model;
        var call = _services.Concepts.ImportAsync(request, Unary(cancellationToken));
        return FromProto.Concept((await UnaryAsync(call, cancellationToken).ConfigureAwait(false)).Concept);
    }

    private static DtiClientException TooLarge(string field, long bytes)
    {
        var sentence =
            $"{field} has {bytes >> 20} MiB, and an embedding file has at most {PhotoShares.Limit >> 20}. "
            + "Send the file of an embedding; dti concepts import takes the embeddings out of a large LoRA.";
        return new(StatusCode.InvalidArgument, sentence) { FieldViolations = [new FieldViolation(field, sentence)] };
    }

    /// <summary>A concept as a file that other tools load.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="format">For which tools.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="DtiClientException"><c>NotFound</c>: there is none; the message lists close names.</exception>
    public async Task<ConceptFile> ExportConceptAsync(
        string name,
        ConceptFormat format = ConceptFormat.Diffusers,
        CancellationToken cancellationToken = default
    )
    {
        var request = new V1.ConceptServiceExportRequest { Name = name, Format = (V1.ConceptFormat)format };
        var response = await UnaryAsync(
                _services.Concepts.ExportAsync(request, Unary(cancellationToken)),
                cancellationToken
            )
            .ConfigureAwait(false);
        return new ConceptFile(response.FileName, response.Data.Memory);
    }

    /// <summary>Writes a concept into the embeddings folder of the server's ComfyUI.</summary>
    /// <param name="name">Its name; ComfyUI's prompts use it as <c>embedding:name</c>.</param>
    /// <param name="overwrite">Replace a file of the same name.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The file, on the server's machine.</returns>
    /// <exception cref="DtiClientException"><c>NotFound</c>, <c>AlreadyExists</c>, or <c>FailedPrecondition</c>: the
    /// server knows no such folder.</exception>
    public async Task<string> InstallConceptAsync(
        string name,
        bool overwrite = false,
        CancellationToken cancellationToken = default
    )
    {
        var request = new V1.ConceptServiceInstallRequest { Name = name, Overwrite = overwrite };
        return (
            await UnaryAsync(_services.Concepts.InstallAsync(request, Unary(cancellationToken)), cancellationToken)
                .ConfigureAwait(false)
        ).Path;
    }

    /// <summary>What a concept was before it was replaced, newest first, without thumbnails.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="DtiClientException"><c>NotFound</c>: there is none.</exception>
    public async Task<IReadOnlyList<Concept>> ListConceptVersionsAsync(
        string name,
        CancellationToken cancellationToken = default
    )
    {
        var call = _services.Concepts.ListVersionsAsync(
            new V1.ConceptServiceListVersionsRequest { Name = name },
            Unary(cancellationToken)
        );
        return
        [
            .. (await UnaryAsync(call, cancellationToken).ConfigureAwait(false)).Concepts.Select(FromProto.Concept),
        ];
    }

    /// <summary>Makes an earlier version of a concept the current one, which becomes an earlier version.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="version">Its <see cref="Concept.Version"/>; null: the newest of the earlier ones.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="DtiClientException"><c>NotFound</c>: there is no such concept, or no such version of
    /// it.</exception>
    public async Task<Concept> RestoreConceptAsync(
        string name,
        string? version = null,
        CancellationToken cancellationToken = default
    )
    {
        var request = new V1.ConceptServiceRestoreRequest { Name = name, Version = version ?? "" };
        var call = _services.Concepts.RestoreAsync(request, Unary(cancellationToken));
        return FromProto.Concept((await UnaryAsync(call, cancellationToken).ConfigureAwait(false)).Concept);
    }

    /// <summary>Deletes a concept and its earlier versions.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="DtiClientException"><c>NotFound</c>: there is none.</exception>
    public async Task DeleteConceptAsync(string name, CancellationToken cancellationToken = default)
    {
        var call = _services.Concepts.DeleteAsync(
            new V1.ConceptServiceDeleteRequest { Name = name },
            Unary(cancellationToken)
        );
        await UnaryAsync(call, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Whether the server is ready for work: its device computes, and it is not about to stop. Needs no token.
    /// </summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="DtiClientException">The server cannot be reached.</exception>
    public async Task<bool> IsReadyAsync(CancellationToken cancellationToken = default)
    {
        var call = _services
            .Channel.CreateCallInvoker()
            .AsyncUnaryCall(_healthCheck, null, Unary(cancellationToken), []);
        return await UnaryAsync(call, cancellationToken).ConfigureAwait(false) is [0x08, 0x01]; // status: SERVING
    }

    /// <summary>What the server is and what it computes with.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="DtiClientException">The server cannot be reached.</exception>
    public async Task<ServerInfo> GetServerAsync(CancellationToken cancellationToken = default)
    {
        var call = _services.Server.GetAsync(new V1.ServerServiceGetRequest(), Unary(cancellationToken));
        return FromProto.Server((await UnaryAsync(call, cancellationToken).ConfigureAwait(false)).Server);
    }

    /// <summary>
    /// The hosts of the server's cluster that are alive, by name; none: the server is no host of a cluster. It needs the
    /// scope admin.
    /// </summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="DtiClientException">The server cannot be reached, or the token lacks the scope.</exception>
    public async Task<IReadOnlyList<ClusterHost>> GetClusterAsync(CancellationToken cancellationToken = default)
    {
        var call = _services.Cluster.GetAsync(new V1.ClusterServiceGetRequest(), Unary(cancellationToken));
        return [.. (await UnaryAsync(call, cancellationToken).ConfigureAwait(false)).Hosts.Select(FromProto.Host)];
    }

    /// <summary>The models that the server can use, by name; unusable ones with the reason.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="DtiClientException">The server cannot be reached.</exception>
    public async Task<IReadOnlyList<Model>> ListModelsAsync(CancellationToken cancellationToken = default)
    {
        var call = _services.Models.ListAsync(new V1.ModelServiceListRequest(), Unary(cancellationToken));
        var response = await UnaryAsync(call, cancellationToken).ConfigureAwait(false);
        return [.. response.Models.Select(FromProto.Model)];
    }

    /// <summary>Names of the autoencoders that can take a model's one's place.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="DtiClientException">The server cannot be reached.</exception>
    public async Task<IReadOnlyList<string>> ListVaesAsync(CancellationToken cancellationToken = default)
    {
        var call = _services.Models.ListAsync(new V1.ModelServiceListRequest(), Unary(cancellationToken));
        return [.. (await UnaryAsync(call, cancellationToken).ConfigureAwait(false)).Vaes];
    }

    /// <summary>One model.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="DtiClientException"><c>NotFound</c>: there is none; the message lists close names.</exception>
    public async Task<Model> GetModelAsync(string name, CancellationToken cancellationToken = default)
    {
        var call = _services.Models.GetAsync(new V1.ModelServiceGetRequest { Name = name }, Unary(cancellationToken));
        return FromProto.Model((await UnaryAsync(call, cancellationToken).ConfigureAwait(false)).Model);
    }
}
